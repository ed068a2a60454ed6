"""A worker, the scheduler or the client of a small region killed at random instants; then the same command again.

    .venv-region/bin/python -m bench.region.kills [--workers 20] [--schedulers 5] [--clients 5] [--seed 1]

The region is that of `sandbox.mountains`, six cells; a scheduler and two workers are processes of their own on
loopback. Each kill hits a process with all that it has started, without a warning, at an instant that is uniform over
the time in which an undisturbed run maps the cells. What came of it is written to `bench/region/kills.csv` kill by
kill. After the second run every cell must have the bytes of the undisturbed run, and none that was finished at the kill
may have been mapped twice.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.region.runs import PLANNED, environment, make_store, run_region
from sandbox import mountains
from sandbox.loopback import free_port

RECORD = Path(__file__).parent / "kills.csv"
CELLS, WORKERS = 6, 2
SCHEDULER_LOST = 3
RESULTS, LOG = Path("regions/range/results"), Path("client.log")
COLUMNS = (
    "number", "killed", "after_s", "of_s", "cells_done", "exit_code", "exit_code_again", "cells_mapped_again",
    "same_bytes", "finished_cells_mapped_twice", "left_beside_results",
)  # fmt: skip
SCHEDULER = ("distributed.cli.dask_scheduler", "--no-dashboard", "--host")
WORKER = (
    "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--preload", "region.worker",
    "--death-timeout", "600",
)  # fmt: skip


class Cluster:
    """A scheduler and two workers, each a group of processes of its own."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address = home, address
        self.log = (home / "cluster.log").open("ab")
        self.scheduler = self._start(*SCHEDULER, address)
        self.workers = [self.start_worker() for _ in range(WORKERS)]

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        return self._start(*WORKER, self.address)

    def restart(self) -> None:
        """Stop all processes and start them again."""
        self.stop()
        self.__init__(self.home, self.address)  # type: ignore[misc]

    def stop(self) -> None:
        """Kill all processes."""
        for process in (*self.workers, self.scheduler):
            kill(process)
        self.log.close()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=self.home, env=environment(), stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and all that it has started, without a warning."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start_client(home: Path) -> subprocess.Popen[str]:
    """Start the command, with a log of its own."""
    with (home / LOG).open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "region", "range"], cwd=home, env=environment(), text=True, start_new_session=True,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip


def wait_for_plan(home: Path, client: subprocess.Popen[str]) -> None:
    """Wait until the client is about to send the cells."""
    while client.poll() is None and not PLANNED.search((home / LOG).read_text()):
        time.sleep(0.05)


def manifests(home: Path) -> dict[str, Any]:
    """Return the manifest of every finished cell, by its name."""
    paths = (home / RESULTS / "cells").glob("*/*/manifest.json")
    return {path.parts[-3]: json.loads(path.read_text()) for path in paths}


def bytes_of(cells: dict[str, Any]) -> dict[str, Any]:
    """Return bytes and MD5 of every file, by cell."""
    return {name: manifest["files"] for name, manifest in cells.items()}


def undisturbed(home: Path) -> float:
    """Map the region by workers that have mapped it before, and return the seconds from the plan to the last cell."""
    run_region(home, "range")
    shutil.rmtree(home / RESULTS)
    return run_region(home, "range").cells_s


def kill_once(home: Path, cluster: Cluster, what: str, after_s: float, whole: dict[str, Any]) -> dict[str, Any]:
    """Run the command, kill `what` after some seconds, run it again; return what came of it."""
    shutil.rmtree(home / RESULTS)
    client, victim = start_client(home), random.Random(after_s).randrange(WORKERS)
    wait_for_plan(home, client)
    time.sleep(after_s)
    ended, before = client.poll() is not None, manifests(home)
    processes: dict[str, subprocess.Popen[Any]] = {
        "worker": cluster.workers[victim], "scheduler": cluster.scheduler, "client": client,
    }  # fmt: skip
    kill(processes[what])
    code = client.wait()
    if what == "scheduler":
        cluster.restart()
    elif what == "worker":
        cluster.workers[victim] = cluster.start_worker()
    finished = manifests(home)
    again = start_client(home).wait()
    after = manifests(home)
    return {
        "killed": f"{what}, after the end" if ended else what, "cells_done": len(before), "exit_code": code,
        "exit_code_again": again, "cells_mapped_again": CELLS - len(finished), "same_bytes": bytes_of(after) == whole,
        "finished_cells_mapped_twice": sum(after[name] != manifest for name, manifest in before.items()),
        "left_beside_results": sum(1 for _ in (home / RESULTS).rglob("*.part")),
    }  # fmt: skip


def wrong(row: dict[str, Any]) -> bool:
    """Return whether a kill has done harm."""
    expected = {"worker": (0,), "scheduler": (0, SCHEDULER_LOST), "client": (0, -signal.SIGKILL)}
    code_is_known = row["exit_code"] in expected[row["killed"].split(",")[0]]
    harm = row["exit_code_again"] or not row["same_bytes"] or row["finished_cells_mapped_twice"]
    return bool(harm) or not code_is_known


def main() -> None:
    """Kill, write the record, and end with 1 if a kill has done harm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in (("workers", 20), ("schedulers", 5), ("clients", 5)):
        parser.add_argument(f"--{name}", type=int, default=count, help="number of kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, default=RECORD)
    arguments = parser.parse_args()
    victims = [name for name in ("worker", "scheduler", "client") for _ in range(getattr(arguments, f"{name}s"))]
    random.Random(arguments.seed).shuffle(victims)
    harm = 0
    with tempfile.TemporaryDirectory() as folder, arguments.record.open("w", encoding="utf-8", newline="") as stream:
        home = Path(folder)
        mountains.make_region(home / "regions", scheduler=(address := f"tcp://127.0.0.1:{free_port()}"))
        make_store(home)
        cluster = Cluster(home, address)
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        table.writeheader()
        try:
            cells_s, whole = undisturbed(home), bytes_of(manifests(home))
            for number, what in enumerate(victims, start=1):
                after_s = random.Random(f"{arguments.seed} {number}").uniform(0, cells_s)
                row = kill_once(home, cluster, what, after_s, whole)
                harm += wrong(row)
                table.writerow(row | {"number": number, "after_s": f"{after_s:.1f}", "of_s": f"{cells_s:.1f}"})
                stream.flush()
                print(number, row, (home / LOG).read_text()[-3000:] if wrong(row) else "", flush=True)
        finally:
            cluster.stop()
    raise SystemExit(f"{harm} kill(s) have done harm" if harm else 0)


if __name__ == "__main__":
    main()
