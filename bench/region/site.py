"""What a cell costs beside a site of its AOI, in CPU-seconds: the cell of median size and the largest of the terrain.

    .venv-region/bin/python -m bench.region.site [--model MODEL] [--folder DIR]

The cell is mapped by a worker of Dask, the site by the commands of dvc.yaml, each a process of its own. What is
compared is the work: a worker imports its packages once, for all of its cells, and a site once for each stage. So each
cell and each stage runs `RUNS` times more in the same process after a first run, and the cheapest of these is taken:
other work on the same cores makes a run dearer, and never cheaper. First runs stand beside it. Cell and site must have
the same bytes. Figures go to `bench/region/site.csv`. It needs `make demo`, and takes about 6 CPU-minutes, 2 of them
to simulate the terrain; `--folder` keeps it.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bench.fresh_process import cpu_of_children_s
from bench.region.runs import environment
from bench.region.terrain import MODEL, YEARS, make_region
from region import worker
from region.cell import STAGES, Job, make_site
from region.engine import connect
from region.inventory import load_inventory
from region.jobs import make_jobs
from region.params import RegionParams, load_region
from region.plan import cells_of
from region.results import Results, results_of
from sandbox import tiny

RECORD = Path(__file__).parent / "site.csv"
COLUMNS = (
    "cell", "mpx_a_scene", "cell_cpu_s", "site_cpu_s", "cell_over_site", "first_cell_of_a_worker_cpu_s",
    "site_with_its_processes_cpu_s",
)  # fmt: skip
PER_YEAR = ("prepare", "predict")
SHELL = environment()
"""Of the site: as it is before a cluster is started, which sets variables of its own for all that follows."""

RUNS = 3
"""Runs after the first, of which the cheapest counts."""


def main() -> None:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--folder", type=Path, help="keeps the terrain; default: a temporary folder")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--stage", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        print(json.dumps(cpu_of_stage_s(arguments.stage)))
        return
    with contextlib.ExitStack() as stack:
        home = (arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        shutil.rmtree(home / "regions", ignore_errors=True)
        rows = measured(home, load_region(make_region(home, "beside", arguments.model, workers=1)))
    with arguments.record.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        print(row)


def measured(home: Path, region: RegionParams) -> list[dict[str, Any]]:
    """Return a row a cell."""
    features, glaciers = load_inventory(region)
    results = results_of(region)
    by_size = sorted(cells_of(region, glaciers), key=lambda cell: (cell.pixels, cell.name))
    rows = []
    for cell in (by_size[len(by_size) // 2], by_size[-1]):
        (job,) = make_jobs(region, features, [cell], results)
        first, cell_s = cpu_of_cell_s(region, job, results)
        site_with_processes, site_s = cpu_of_site_s(home, region, job, results)
        figures = (cell.name, cell.pixels / 1e6, cell_s, site_s, cell_s / site_s, first, site_with_processes)
        rows.append(dict(zip(COLUMNS, [f"{x:.2f}" if isinstance(x, float) else x for x in figures], strict=True)))
    return rows


def cpu_of_cell_s(region: RegionParams, job: Job, results: Results) -> tuple[float, float]:
    """Map a cell repeatedly by one worker of Dask; return CPU-seconds: of the first run, and of the cheapest other."""
    seconds = []
    with connect(region) as client:
        for _ in range(1 + RUNS):
            if results.folder:
                shutil.rmtree(results.folder / job.place, ignore_errors=True)
            seconds.append(float(client.submit(worker.work, job, pure=False).result()["cpu_seconds"]))
    return seconds[0], min(seconds[1:])


def cpu_of_site_s(home: Path, region: RegionParams, job: Job, results: Results) -> tuple[float, float]:
    """Run the stages of a site, which reads the region's own file of outlines, and compare it with the cell.

    Returns
    -------
    tuple
        CPU-seconds of the processes as `make repro` starts them, and of the work in them: sums over the stages.
    """
    site = home / "regions/site"
    shutil.rmtree(site, ignore_errors=True)
    make_site(site, job, results)
    ingest = job.site["ingest"] | {"outlines": {"path": str(home / "source/outlines.gpkg")}}
    (site / "params.yaml").write_text(yaml.safe_dump(job.site | {"ingest": ingest}))
    for link in ("stages", "docker", "dvc.yaml"):
        (site / link).symlink_to(tiny.ROOT / link)
    runs = [
        [stage, *more] for stage in STAGES
        for more in ([["--year", str(year)] for year in YEARS] if stage in PER_YEAR else [[]])
    ]  # fmt: skip
    with_processes = work = 0.0
    for run in runs:
        before = cpu_of_children_s()
        _call(site, f"stages.{run[0]}", *run[1:])
        with_processes += cpu_of_children_s() - before
        work += json.loads(_call(site, "bench.region.site", "--stage", *run).splitlines()[-1])
    manifest = results.manifest(job.place) or {}
    for file in manifest["files"]:
        path = site / ("artifacts" if file.startswith(("area", "predict")) else "data") / file
        if path.read_bytes() != results.read(f"{job.place}/{file}"):
            raise SystemExit(f"cell {job.cell} and the site of its AOI differ in {file}")
    return with_processes, work


def cpu_of_stage_s(command: Sequence[str]) -> float:
    """Run a stage repeatedly in this process; return the CPU-seconds of the cheapest run after the first."""
    stage, *arguments = command
    sys.argv = [stage, *arguments]
    seconds = []
    for _ in range(1 + RUNS):
        before = time.process_time()
        try:
            runpy.run_module(f"stages.{stage}", run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise
        seconds.append(time.process_time() - before)
    return min(seconds[1:])


def _call(site: Path, module: str, *more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *more], cwd=site, env=SHELL, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} {more} of a site ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
