"""Sweep of the demo: RGB against six bands, width, loss. An experiment of ``dvc exp`` a row; prints a table.

    python -m bench.sweep [--site FOLDER] [--epochs 8] [--only NAME ...] [--held-out] [--table]

Every row runs the whole pipeline but its gate (a row that fails a gate is a result too), with --held-out up to its
scores on the test blocks; one after the other. Rows that exist as experiments of this commit are not run again, so that
an interrupted sweep goes on where it was. The schedule is short: the rows compare with each other, not with the demo's
full training. The working tree must be clean; what `params.yaml`, `dvc.lock`, `metrics/` and `artifacts/` were is
restored at the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.common.display.numbers import number_text, signed_text
from versions.experiments import Experiment, list_experiments

RGB = "prepare.bands=[B02,B03,B04]"
ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bands-6": ("six bands, width 16, both losses", ()),
    "bands-rgb": ("natural colour (B02, B03, B04)", (RGB,)),
    "width-8": ("width 8", ("train.base_channels=8",)),
    "width-32": ("width 32", ("train.base_channels=32",)),
    "loss-bce": ("cross-entropy alone", ("train.dice_weight=0",)),
    "loss-dice": ("Dice alone", ("train.bce_weight=0",)),
}
"""Name of the experiment to what it is and the parameters that it sets."""

TARGET, HELD_OUT_TARGET = "track", "evaluate"
"""All stages but the gate; those up to the scores on the test blocks, which map no year."""
HELD_OUT_SCORES = 3
"""As many columns come from `evaluate`."""

Scores = Sequence[tuple[str, str, int, bool]]
"""Head of the column, metric, decimals, whether its sign is shown."""

SCORES: Scores = (
    ("held-out IoU", "evaluate/model/iou", 3, False),
    ("area bias, %", "evaluate/model/area_bias_pct", 1, True),
    ("calibration error", "evaluate/expected_calibration_error", 3, False),
    ("IoU against the truth", "area/truth/iou", 3, False),
    ("mean absolute area error, %", "area/truth/mean_absolute_error_pct", 1, False),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 all rows are there, 1 a row failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path(), help="a site's folder; default: this one")
    parser.add_argument("--epochs", type=int, default=8, help="of every row")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS), help="rows")
    parser.add_argument("--held-out", action="store_true", help="train and score, map no year")
    parser.add_argument("--table", action="store_true", help="run nothing, print what there is")
    arguments = parser.parse_args(argv)
    site = arguments.site.resolve()
    failed = [] if arguments.table else sweep(site, arguments)
    print(table(list_experiments(site), arguments.only, SCORES[:HELD_OUT_SCORES] if arguments.held_out else SCORES))
    if failed:
        print(f"failed: {', '.join(failed)}; run it again to go on", file=sys.stderr)
    return 1 if failed else 0


def sweep(site: Path, arguments: argparse.Namespace) -> list[str]:
    """Run the rows that are not there yet; returns those that failed."""
    if changed := output(site, "git", "status", "--porcelain", "--untracked-files=no"):
        sys.exit(f"the working tree has changes; commit or stash them first:\n{changed}")
    there = {one.name.strip() for one in list_experiments(site)}
    failed, target = [], HELD_OUT_TARGET if arguments.held_out else TARGET
    try:
        for name in arguments.only:
            if name in there:
                print(f"{name}: there already", flush=True)
                continue
            start = time.monotonic()
            code = subprocess.run(command(name, arguments.epochs, target), cwd=site, check=False).returncode
            print(f"{name}: {'done' if not code else 'FAILED'}, {time.monotonic() - start:.0f} s", flush=True)
            failed += [name] if code else []
            restore(site)
    finally:
        restore(site)
    return failed


def command(name: str, epochs: int, target: str = TARGET) -> list[str]:
    """The experiment of a row. A parameter that params.yaml leaves out would need a plus before it."""
    changes = [*ROWS[name][1], f"train.epochs={epochs}", f"train.patience_epochs={epochs}"]
    words = [word for change in changes for word in ("--set-param", change)]
    return ["dvc", "exp", "run", "--quiet", "--name", name, *words, target]


def restore(site: Path) -> None:
    """What an experiment leaves in the workspace goes back to the commit's."""
    output(site, "git", "checkout", "--quiet", "--", ".")
    output(site, "dvc", "checkout", "--quiet", "--force", "dvc.yaml")


def table(experiments: Sequence[Experiment], names: Sequence[str], scores: Scores = SCORES) -> str:
    """Markdown."""
    known: dict[str, Mapping[str, Any]] = {one.name.strip(): one.metrics for one in experiments}
    lines = ["| | " + " | ".join(head for head, *_ in scores) + " |", "|---" * (1 + len(scores)) + "|"]
    for name in names:
        if name in known:
            values = (
                (signed_text if sign else number_text)(known[name].get(key), places) for _, key, places, sign in scores
            )
            lines.append(f"| {ROWS[name][0]} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def output(site: Path, *arguments: str) -> str:
    """What a command prints."""
    return subprocess.run(arguments, cwd=site, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
