"""What Dask's scheduler itself takes: empty tasks in the shape of a region's cells.

    .venv-region/bin/python -m bench.region.tasks --tasks 100000 --workers 2

Every task gets a job as large as a real one, with its priority and attempts, and returns a manifest as large as a real
one; nothing is mapped or written. It is the code that `make region` runs, `region.engine.watch`, on a cluster of this
machine. The time is what Dask costs a region of so many cells, however many workers share the work.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import pickle
import tempfile
import time
from pathlib import Path
from typing import Any

from region.cell import Job, code_hash, peak_mib
from region.engine import Outcome, connect, watch
from region.inventory import load_inventory
from region.jobs import make_jobs
from region.params import load_region
from region.plan import cells_of
from region.results import results_of
from sandbox import mountains

FILES = 28
"""Files of a cell of two years, which a manifest lists."""


def empty_work(job: Job) -> dict[str, Any]:
    """Return a manifest as a mapped cell has it, of nothing."""
    listed = {"bytes": 0, "md5": "0" * 32}
    return {"cell": job.cell, "key": job.key, "files": {f"area/file-{number}.tif": listed for number in range(FILES)}}


def main() -> None:
    """Run the tasks and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    from bench.region.tasks import empty_work as by_name  # what stands in __main__ would travel with every task

    logging.disable(logging.INFO)  # a line a cell
    with tempfile.TemporaryDirectory() as folder:
        region = load_region(mountains.make_region(Path(folder), workers=arguments.workers))
        features, glaciers = load_inventory(region)
        cells = cells_of(region, glaciers)
        real = make_jobs(region, features, cells, results_of(region))
        jobs = [
            dataclasses.replace(real[number % len(real)], cell=f"u44n-{number}", key=f"{number:016d}{code_hash()[:48]}")
            for number in range(arguments.tasks)
        ]
        outcome = Outcome()
        with connect(region) as client:
            client.wait_for_workers(arguments.workers)
            started, started_cpu = time.monotonic(), time.process_time()
            watch(client, jobs, outcome, pixels={job.cell: 1 for job in jobs}, attempts=3, work=by_name)
            seconds, cpu_s = time.monotonic() - started, time.process_time() - started_cpu
    if outcome.mapped != arguments.tasks or outcome.failed:
        raise SystemExit(f"{outcome.mapped} of {arguments.tasks} tasks are done, {len(outcome.failed)} failed")
    print(f"tasks              {arguments.tasks}, each with a job of {len(pickle.dumps(jobs[0]))} bytes")
    print(f"wall time          {seconds:.1f} s with {arguments.workers} worker(s)")
    print(f"client, scheduler  {cpu_s:.1f} s of one core: at most {arguments.tasks / cpu_s:.0f} tasks a second")
    print(f"peak memory        {peak_mib()} MiB of both")


if __name__ == "__main__":
    main()
