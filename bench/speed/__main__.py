"""Print how fast the pipeline is, beside the machine's own limits and the goals; compare with the committed record.

    python -m bench.speed                  # the table (5 to 15 minutes; `make demo` first)
    python -m bench.speed --record         # also writes bench/speed/record.csv
    make bench-compare                     # what is worse than the record by more than a tenth: exit code 1

All figures are ratios of runs that take turns on the same cores, so that a busy or another machine changes them little.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.fresh_process import ROOT
from bench.speed.figures import Figure, figures_of_predict, figures_of_stages

RECORD = Path(__file__).parent / "record.csv"
TOLERANCE = 0.1


def main() -> int:
    """Measure, print, and record or compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--mpx", type=float, nargs="+", default=[4.0, 25.0], help="sizes of the scenes of predict")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each; their median counts")
    parser.add_argument("--record", action="store_true", help="write the figures down")
    parser.add_argument("--compare", action="store_true", help="say what is worse than the record")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures: list[Figure] = []
        limits: dict[str, float] = {}
        for number, mpx in enumerate(arguments.mpx):
            (Path(scratch) / str(number)).mkdir()
            measured, limits = figures_of_predict(Path(scratch) / str(number), mpx, arguments.repeats)
            figures += measured
        figures += figures_of_stages(Path(scratch) / "site", arguments.demo.resolve(), arguments.repeats)
    recorded = read_record(RECORD)
    print(table(figures, recorded))
    print(f"machine: {os.cpu_count()} cores, matrix product {limits['gemm_gflops']:.0f} GFLOP/s in float32, memory "
          f"{limits['bandwidth_gb_per_s']:.1f} GB/s read and written")  # fmt: skip
    if arguments.record:
        write_record(RECORD, figures)
    worse = [figure.name for figure in figures if is_worse(figure, recorded)] if arguments.compare else []
    for name in worse:
        print(f"worse than the record by more than {TOLERANCE:.0%}: {name}")
    return int(bool(worse))


def is_worse(figure: Figure, recorded: dict[str, float]) -> bool:
    """Return whether a figure is recorded, and is worse than its record by more than `TOLERANCE`."""
    return figure.name in recorded and figure.is_worse(recorded[figure.name], TOLERANCE)


def table(figures: Sequence[Figure], recorded: dict[str, float]) -> str:
    """Return a line for each figure: its value, its record and its goal."""
    width = max(len(figure.name) for figure in figures)
    lines = [f"{'':<{width}}  {'now':>7} {'record':>7} {'goal':>7}"]
    for figure in figures:
        record = f"{recorded[figure.name]:.3g}" if figure.name in recorded else "-"
        goal = "-" if figure.goal is None else f"{'>=' if figure.higher_is_better else '<='} {figure.goal:g}"
        lines.append(f"{figure.name:<{width}}  {figure.value:>7.3g} {record:>7} {goal:>7}")
    return "\n".join(lines)


def read_record(path: Path) -> dict[str, float]:
    """Return the recorded figures by their names; none where there is no record."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["figure"]: float(row["value"]) for row in csv.DictReader(lines)}


def write_record(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures with three digits; others of the record stay."""
    rows = read_record(path) | {figure.name: figure.value for figure in figures}
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(["figure", "value"])
        writer.writerows([name, f"{value:.3g}"] for name, value in rows.items())


if __name__ == "__main__":
    raise SystemExit(main())
