"""Sweep of the demo: RGB against six bands, width, loss. One experiment of ``dvc exp`` per row; prints a table.

    python -m bench.sweep [--site FOLDER] [--epochs 8] [--only NAME ...] [--held-out] [--table]

The rows run one after the other. Each runs the whole pipeline except its gate (a row that fails a gate is a result
too), or, with --held-out, up to its scores on the held-out blocks. Rows that exist as experiments of this commit are
not run again, so that an interrupted sweep continues where it stopped. The schedule is short: compare the rows with
each other, not with the demo's full training. The working tree must be clean; `params.yaml`, `dvc.lock`, `metrics/`
and `artifacts/` are restored at the end.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.common.display.numbers import number_text, signed_text
from stages.common.revision import run_git
from stages.common.run.exit_code import exit_code_of
from versions.experiments import Experiment, list_experiments
from versions.tools.commands import require, run_dvc, stream_dvc

RGB = "prepare.bands=[B02,B03,B04]"
ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bands-6": ("six bands, width 16, both losses", ()),
    "bands-rgb": ("natural colour (B02, B03, B04)", (RGB,)),
    "width-8": ("width 8", ("train.base_channels=8",)),
    "width-32": ("width 32", ("train.base_channels=32",)),
    "loss-bce": ("cross-entropy only", ("train.dice_weight=0",)),
    "loss-dice": ("Dice only", ("train.bce_weight=0",)),
}
"""Name of each experiment, with its description and the parameters that it sets."""

TARGET, HELD_OUT_TARGET = "track", "evaluate"
"""Last stage of a row: all stages except the gate, or those up to the scores, which map no year."""
HELD_OUT_SCORES = 3
"""Number of columns that come from `evaluate`; they are the first ones."""

ScoreColumns = Sequence[tuple[str, str, int, bool]]
"""Head of the column, metric, decimals, and whether a plus sign is written."""

SCORES: ScoreColumns = (
    ("held-out IoU", "evaluate/model/iou", 3, False),
    ("area bias, %", "evaluate/model/area_bias_pct", 1, True),
    ("calibration error", "evaluate/expected_calibration_error", 3, False),
    ("IoU against the truth", "area/truth/iou", 3, False),
    ("mean absolute area error, %", "area/truth/mean_absolute_error_pct", 1, False),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sweep and print its table; return 0 where all rows exist, 1 where a row failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path(), help="folder of the site; default: this folder")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of every row")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS), help="rows to run")
    parser.add_argument("--held-out", action="store_true", help="train and score, but map no year")
    parser.add_argument("--table", action="store_true", help="run nothing, print the rows that exist")
    arguments = parser.parse_args(argv)
    site = arguments.site.resolve()
    failed = [] if arguments.table else sweep(site, arguments)
    columns = SCORES[:HELD_OUT_SCORES] if arguments.held_out else SCORES
    print(markdown_table(list_experiments(site), arguments.only, columns))
    if failed:
        print(f"failed: {', '.join(failed)}; run the sweep again to continue", file=sys.stderr)
    return 1 if failed else 0


def sweep(site: Path, arguments: argparse.Namespace) -> list[str]:
    """Run the rows that do not exist yet, and return those that failed."""
    status = run_git(site, "status", "--porcelain", "--untracked-files=no")
    if changed := require(status, what="git does not know this site", fix="run it in a clone"):
        sys.exit(f"the working tree has changes; commit or stash them first:\n{changed}")
    existing = {experiment.name.strip() for experiment in list_experiments(site)}
    failed, target = [], HELD_OUT_TARGET if arguments.held_out else TARGET
    try:
        for name in arguments.only:
            if name in existing:
                print(f"{name}: exists already", flush=True)
                continue
            start = time.monotonic()
            code = stream_dvc(site, *experiment_arguments(name, arguments.epochs, target))
            print(f"{name}: {'done' if not code else 'FAILED'}, {time.monotonic() - start:.0f} s", flush=True)
            failed += [name] if code else []
            restore(site)
    finally:
        restore(site)
    return failed


def experiment_arguments(name: str, epochs: int, target: str = TARGET) -> list[str]:
    """Return DVC's arguments for a row's experiment; a parameter that params.yaml lacks would need a plus before it."""
    changes = [*ROWS[name][1], f"train.epochs={epochs}", f"train.patience_epochs={epochs}"]
    words = [word for change in changes for word in ("--set-param", change)]
    return ["exp", "run", "--quiet", "--name", name, *words, target]


def restore(site: Path) -> None:
    """Restore the commit's files over those that an experiment leaves in the workspace."""
    fix = "restore the site by hand: `git checkout -- .` and `dvc checkout --force dvc.yaml`"
    require(run_git(site, "checkout", "--quiet", "--", "."), what="the commit's files are not restored", fix=fix)
    require(run_dvc(site, "checkout", "--quiet", "--force", "dvc.yaml"), what="the results are not restored", fix=fix)


def markdown_table(experiments: Sequence[Experiment], names: Sequence[str], columns: ScoreColumns = SCORES) -> str:
    """Return the rows `names` that exist among the experiments as a table in Markdown."""
    metrics: dict[str, Mapping[str, Any]] = {experiment.name.strip(): experiment.metrics for experiment in experiments}
    lines = ["| | " + " | ".join(head for head, *_ in columns) + " |", "|---" * (1 + len(columns)) + "|"]
    for name in names:
        if name in metrics:
            values = (
                (signed_text if sign else number_text)(metrics[name].get(key), decimals)
                for _, key, decimals, sign in columns
            )
            lines.append(f"| {ROWS[name][0]} | " + " | ".join(values) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(exit_code_of("sweep", main))
