"""Table of the experiments: ``python -m versions.experiments`` in a site's folder (`make exps`).

``dvc exp show`` has a column for every number of every site; this one has the parameters that differ, and how well
each experiment does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.display.numbers import number_text, signed_text
from stages.common.errors import GlacierError, InputError
from stages.common.run.flatten import flatten
from versions.compare.console import table

COLUMNS = (
    ("IoU", "evaluate/model/iou", 3, False),
    ("bias %", "evaluate/model/area_bias_pct", 1, True),
    ("ECE", "evaluate/expected_calibration_error", 3, False),
    ("true IoU", "area/truth/iou", 3, False),
    ("error %", "area/truth/mean_absolute_error_pct", 1, False),
    ("slope km2/a", "area/slope_km2_per_year", 3, True),
    ("gates failed", "area/gates_failed", 0, False),
)
"""Head, metric, decimals, and whether its sign is shown."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A revision or an experiment."""

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, Any]
    """``stage/part/name`` to value."""


def main() -> int:
    """Exit code: 0 shown, 2 DVC cannot list them."""
    try:
        print(text(read(Path.cwd())))
    except GlacierError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def read(site: Path) -> list[Experiment]:
    """The workspace, the commit it stands on, and its experiments.

    Raises
    ------
    InputError
        DVC cannot list them.
    """
    done = subprocess.run(["dvc", "exp", "show", "--json"], cwd=site, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError("DVC cannot list the experiments", where=site.name, found=done.stderr.strip()[-500:])
    root = subprocess.run(["dvc", "root"], cwd=site, capture_output=True, text=True, check=True).stdout.strip()
    prefix = site.resolve().relative_to((site / root).resolve()).as_posix()
    return list(_entries(json.loads(done.stdout), "" if prefix == "." else f"{prefix}/"))


def text(experiments: Sequence[Experiment]) -> str:
    """The table; parameters and scores that none has, or that are all the same, get no column."""
    names = dict.fromkeys(name for one in experiments for name in one.params)
    differ = [name for name in names if len({one.params.get(name) for one in experiments if one.params}) > 1]
    scores = [column for column in COLUMNS if any(column[1] in one.metrics for one in experiments)]
    rows = [
        (
            one.name,
            *(one.params.get(name, "default") for name in differ),
            *(_cell(one.metrics.get(key), places, sign=sign) for _, key, places, sign in scores),
        )
        for one in experiments
    ]
    return table(("experiment", *differ, *(column[0] for column in scores)), rows)


def _cell(value: float | None, places: int, *, sign: bool) -> str:
    return signed_text(value, places) if sign else number_text(value, places)


def _entries(listed: Sequence[Mapping[str, Any]], prefix: str) -> Iterator[Experiment]:
    for base in listed:
        yield _entry(
            str(base["name"] or ("workspace" if base["rev"] == "workspace" else base["rev"][:7])),
            base.get("data") or {},
            prefix,
        )
        for one in base.get("experiments") or []:
            first = one["revs"][0]
            yield _entry(f"  {first['name'] or first['rev'][:7]}", first.get("data") or {}, prefix)


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
