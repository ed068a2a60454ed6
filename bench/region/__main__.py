"""A region of a large simulated terrain against its truth, by one worker and by two.

    .venv-region/bin/python -m bench.region [--model MODEL] [--folder DIR]

The terrain is that of `bench.region.terrain`: 86 glaciers in 48 cells; the model is the demo's (`make demo`). Each
figure is printed, and written to `bench/region/record.csv`. It takes about 15 CPU-minutes; on a machine that does other
work the elapsed times are those of both, so CPU-seconds stand beside them. `--folder` keeps the terrain.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import shutil
import tempfile
from pathlib import Path

from bench.region.runs import Run, make_store, run_region
from bench.region.terrain import MODEL, YEARS, make_region, make_sources, true_km2
from region.results import Results

RECORD = Path(__file__).parent / "record.csv"
WORKERS = (1, 2)
Figures = dict[str, str]
"""What was measured, by its name."""


def main() -> None:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--folder", type=Path, help="keeps the terrain; default: a temporary folder")
    parser.add_argument("--record", type=Path, default=RECORD)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = (arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        make_sources(home)
        make_store(home)
        shutil.rmtree(home / "regions", ignore_errors=True)
        runs = []
        for workers in WORKERS:
            make_region(home, f"by-{workers}", arguments.model, workers=workers)
            runs.append(run_region(home, f"by-{workers}"))
        figures = against_truth(home, runs[0].results) | of_runs(runs)
    with arguments.record.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["figure", "value"])
        table.writerows(figures.items())
    print("\n".join(f"{name:<52}{value}" for name, value in figures.items()))


def against_truth(home: Path, results: Results) -> Figures:
    """Return the totals by year beside the truth; every glacier must be counted once a year."""
    import geopandas  # after the runs: their memory is measured from outside, their time is not

    rows = geopandas.read_parquet(f"{results.url}/glacier_years.parquet")
    ids = sorted(geopandas.read_file(home / "source/outlines.gpkg")["rgi_id"])
    content = (results.read("totals.csv") or b"").decode().splitlines()
    totals = {int(row["year"]): row for row in csv.DictReader(content)}
    figures = {}
    for year in YEARS:
        of_year = rows[rows["year"] == year]
        if sorted(of_year["rgi_id"]) != ids:
            raise SystemExit(f"{year}: not every glacier is counted once")
        mapped, low, high = (float(totals[year][f"area_{part}km2"]) for part in ("", "low95_", "high95_"))
        truth = sum(true_km2(home, year).get(name, 0.0) for name in ids)
        inside = "inside" if low <= truth <= high else "outside"
        figures[f"{year}: mapped, true"] = f"{mapped:.1f}, {truth:.1f} km2 ({100 * (mapped / truth - 1):+.1f} %)"
        figures[f"{year}: 95 % interval"] = f"{low:.1f} to {high:.1f} km2, the truth {inside}"
        figures[f"{year}: glaciers, each once"] = f"{len(of_year)} of {len(ids)}"
    return figures


def sizes_of(run: Run) -> dict[str, int]:
    """Return the pixels of each cell's window, by its name."""
    import geopandas

    plan = geopandas.read_parquet(f"{run.results.url}/plan.parquet")
    return dict(zip(plan["cell"], plan["pixels"], strict=True))


def of_runs(runs: list[Run]) -> Figures:
    """Return what one worker and two took, end to end and by part."""
    figures: Figures = {}
    for workers, run in zip(WORKERS, runs, strict=True):
        name = f"{workers} worker(s)"
        figures |= {
            f"{name}: end to end": f"{run.elapsed_s:.1f} s, {run.cpu_s:.1f} CPU-s",
            f"{name}: start and plan": f"{run.plan_s:.1f} s",
            f"{name}: cluster and cells": f"{run.cells_s:.1f} s",
            f"{name}: tables, report, MLflow": f"{run.end_s:.1f} s",
            f"{name}: stages of all cells": f"{run.stages_s:.1f} s, {run.stages_cpu_s:.1f} CPU-s",
            f"{name}: peak memory of a worker": f"{run.peak_mib} MiB",
        }
    single, double = runs
    if single.hashes != double.hashes:
        raise SystemExit("one worker and two give other bytes")
    sizes = sizes_of(single)
    return figures | {
        "cells; megapixels of their scenes": f"{len(sizes)}; {sum(sizes.values()) * len(YEARS) / 1e6:.1f}",
        "two workers over one, end to end": f"{single.elapsed_s / double.elapsed_s:.2f} times as fast",
        "two workers over one, cluster and cells": f"{single.cells_s / double.cells_s:.2f} times as fast",
        "CPU-s of two workers over one": f"{double.cpu_s / single.cpu_s:.2f}",
        "one worker between its cells": f"{100 * single.between:.1f} % of the time from its first cell to its last",
    }


if __name__ == "__main__":
    main()
