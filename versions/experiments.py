"""Table of the experiments: ``python -m versions.experiments`` in a site's folder (`make exps`).

``dvc exp show`` has a column for every number of every site; this one has the parameters that differ, and how well
each experiment does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.run.start import starting

with starting("experiments", __name__, command=True):
    from stages.common.display.numbers import number_text, signed_text
    from stages.common.run.exit_code import exit_code_of
    from stages.common.run.flatten import flatten
    from versions.tools.commands import require, run_dvc
    from versions.tools.text import aligned_table

COLUMNS = (
    ("IoU", "evaluate/model/iou", 3, False),
    ("bias %", "evaluate/model/area_bias_pct", 1, True),
    ("ECE", "evaluate/expected_calibration_error", 3, False),
    ("true IoU", "area/truth/iou", 3, False),
    ("error %", "area/truth/mean_absolute_error_pct", 1, False),
    ("change km²/year", "area/change/slope_km2_per_year", 3, True),
    ("common area km²/year", "area/slope_km2_per_year", 3, True),
    ("gates failed", "area/gates_failed", 0, False),
)
"""Head of the column, metric, decimals, and whether a plus sign stands before a gain."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A revision or an experiment."""

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, Any]
    """``stage/part/name`` to value."""


def main() -> int:
    """Print the table; return the exit code: 0 printed, 2 DVC cannot list the experiments."""
    return exit_code_of("experiments", lambda: experiment_table(list_experiments(Path.cwd())))


def list_experiments(site: Path) -> list[Experiment]:
    """Return the workspace, the commit it stands on, and its experiments.

    Raises
    ------
    InputError
        DVC cannot list them.
    """
    fix = "run in a site's folder of a git repository with a commit"
    listing = require(
        run_dvc(site, "exp", "show", "--json"), what=f"DVC cannot list the experiments of {site.resolve()}", fix=fix
    )
    root = require(run_dvc(site, "root"), what=f"DVC has no repository in {site.resolve()}", fix=fix)
    prefix = site.resolve().relative_to((site / root).resolve()).as_posix()
    return list(_entries(json.loads(listing), "" if prefix == "." else f"{prefix}/"))


def experiment_table(experiments: Sequence[Experiment]) -> str:
    """Return the table; parameters that are all the same and scores that no experiment has get no column."""
    names = dict.fromkeys(name for experiment in experiments for name in experiment.params)
    changed = [name for name in names if len({row.params.get(name) for row in experiments if row.params}) > 1]
    columns = [column for column in COLUMNS if any(column[1] in row.metrics for row in experiments)]
    rows = [
        (
            experiment.name,
            *(experiment.params.get(name, "default") for name in changed),
            *(_cell(experiment.metrics.get(key), places, sign=sign) for _, key, places, sign in columns),
        )
        for experiment in experiments
    ]
    return aligned_table(("experiment", *changed, *(column[0] for column in columns)), rows)


def _cell(value: float | None, places: int, *, sign: bool) -> str:
    return signed_text(value, places) if sign else number_text(value, places)


def _entries(listing: Sequence[Mapping[str, Any]], prefix: str) -> Iterator[Experiment]:
    for base in listing:
        name = base["name"] or ("workspace" if base["rev"] == "workspace" else base["rev"][:7])
        yield _entry(str(name), base.get("data") or {}, prefix)
        for experiment in base.get("experiments") or []:
            newest = experiment["revs"][0]
            yield _entry(f"  {newest['name'] or newest['rev'][:7]}", newest.get("data") or {}, prefix)


def _entry(name: str, data: Mapping[str, Any], prefix: str) -> Experiment:
    params = ((data.get("params") or {}).get(f"{prefix}params.yaml") or {}).get("data") or {}
    documents = {
        Path(path).stem: content.get("data") or {}
        for path, content in (data.get("metrics") or {}).items()
        if path.startswith(f"{prefix}metrics/")
    }
    leaves = flatten(documents, separator="/")
    return Experiment(
        name=name,
        params={key: str(value) for key, value in flatten(params).items()},
        metrics={key: value for key, value in leaves.items() if isinstance(value, int | float)},
    )


if __name__ == "__main__":
    sys.exit(main())
