"""Processor time of a year that is added to a site: what runs again is `prepare`, `predict`, `area` and `report`.

    python -m bench.cost.year [--demo .] [--repeats 3]

The demo (`make demo` first) is copied, its last year is made once more, and all its years are measured and shown. Each
stage runs in a process of its own, start and imports included. The table has the median of several rounds in
CPU-seconds (``os.times``), and the peak memory.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import yaml

from bench.fresh_process import ROOT, run_worker

STAGES_OF_ONE_YEAR, STAGES_OF_ALL_YEARS = ("prepare", "predict"), ("area", "report")
GOAL_CPU_S = 15.0


def main() -> None:
    """Copy the demo, add its last year several times and print a row for each stage and for all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--repeats", type=int, default=3, help="rounds; their median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch) / "site"
        year = copy_site(arguments.demo, site)
        rounds = [add_year(site, year) for _ in range(arguments.repeats)]
    print(f"{'stage':<8}  CPU-s  peak, MiB")
    for stage in rounds[0]:
        cpu_s, peak_mib = (statistics.median(each[stage][name] for each in rounds) for name in ("cpu_s", "peak_mib"))
        print(f"{stage:<8}  {cpu_s:>5.1f}  {peak_mib:>9.0f}")
    whole_s = statistics.median(sum(cost["cpu_s"] for cost in each.values()) for each in rounds)
    print(f"{'all':<8}  {whole_s:>5.1f}  (goal: {GOAL_CPU_S:g})")


def copy_site(demo: Path, site: Path) -> int:
    """Copy what the stages read of a site that was run; return its last year."""
    for folder in ("data", "artifacts", "metrics"):
        shutil.copytree(demo / folder, site / folder, ignore=shutil.ignore_patterns("patches", ".tmp"))
    shutil.copy(demo / "params.yaml", site)
    return int(max(yaml.safe_load((site / "params.yaml").read_text(encoding="utf-8"))["years"]))


def add_year(site: Path, year: int) -> dict[str, dict[str, float]]:
    """Make a year and all that is made of all years; return the cost of each stage by its name."""
    of_year = {stage: run_worker("bench.cost.stage", stage, str(year), folder=site) for stage in STAGES_OF_ONE_YEAR}
    return of_year | {stage: run_worker("bench.cost.stage", stage, "", folder=site) for stage in STAGES_OF_ALL_YEARS}


if __name__ == "__main__":
    main()
