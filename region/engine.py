"""Have Dask map the cells: a cluster on this machine, or any scheduler by its address."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import dask
from distributed import Client, LocalCluster, as_completed

from region import worker
from region.cell import ROOT, Job, code_hash
from region.params import RegionParams
from region.results import Results
from stages.common.errors import InputError, StorageError
from stages.common.machine import usable_cores

CONNECT_S = 10
"""Seconds within which a scheduler must answer."""

AHEAD = 4096
"""Cells that the scheduler has at once, at most: four for each of 1,000 workers. A hundred thousand sent in one go kept
it so busy that it lost its client."""

WORKERS_S = 120
"""Seconds that are waited for the first worker of a scheduler."""

PACKAGES = ("numpy", "rasterio", "onnxruntime", "pyproj", "shapely", "scipy")
"""Packages that numbers follow from: all workers must have the client's versions."""

log = logging.getLogger("region")


@dataclass
class Outcome:
    """What became of the cells."""

    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Manifest of every cell that is done, by its name."""
    failed: dict[str, str] = field(default_factory=dict)
    """Reason of every cell that failed each time it was tried, by its name."""
    mapped: int = 0
    """Number of cells that were mapped now; the others were there."""


@contextlib.contextmanager
def connect(region: RegionParams) -> Iterator[Client]:
    """Yield a client of the region's scheduler.

    Raises
    ------
    InputError
        The scheduler does not answer, has no worker, or runs other versions of the packages.
    """
    section = region.region
    worker.set_up()
    logging.getLogger("distributed").setLevel(logging.ERROR)  # the log is of cells
    dask.config.set({
        "distributed.scheduler.allowed-failures": section.attempts - 1,
        "distributed.comm.timeouts.connect": f"{CONNECT_S}s",
        "distributed.scheduler.locks.lease-timeout": f"{worker.LEASE_TIMEOUT_S}s",
    })  # fmt: skip
    if section.scheduler is None:
        with contextlib.ExitStack() as stack:
            cluster = LocalCluster(
                n_workers=section.workers or usable_cores(), threads_per_worker=1, processes=True,
                memory_limit=f"{section.worker_memory_gib}GiB", dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
            stack.callback(_close, cluster)
            client = Client(cluster)
            stack.callback(_close, client)
            _name_dashboard(client)
            yield client
        return
    try:
        client = Client(section.scheduler, timeout=CONNECT_S)
    except (OSError, TimeoutError) as error:
        raise InputError(
            "the scheduler does not answer", where=section.scheduler, expected=f"an answer within {CONNECT_S} s",
            found=" ".join(str(error).split())[:200], fix="start it (`dask scheduler`), or correct region.scheduler",
        ) from None  # fmt: skip
    with client:
        check_versions(client, section.scheduler)
        _name_dashboard(client)
        yield client


def _close(resource: Any) -> None:
    """Close a cluster or a client; what a busy machine does not end in time ends with this process."""
    with contextlib.suppress(TimeoutError):
        resource.close()


def _name_dashboard(client: Client) -> None:
    with contextlib.suppress(KeyError):  # a scheduler that was started without one
        log.info("Dask's dashboard: %s", client.dashboard_link)


def check_versions(client: Client, address: str) -> None:
    """Refuse a scheduler without workers, and workers that have other packages or other code than the client.

    Raises
    ------
    InputError
        It is so.
    """
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError:
        raise InputError(
            "the scheduler has no worker", where=address, expected="one or more", found=f"none within {WORKERS_S} s",
            fix=f"`dask worker {address} --nthreads 1 --preload region.worker` in {ROOT.name}, see docs/region.md",
        ) from None  # fmt: skip
    refuse_other_code(client.run(code_hash))
    versions = client.get_versions(packages=list(PACKAGES))
    expected = _compared(versions["client"])
    for name, state in {"scheduler": versions["scheduler"], **versions["workers"]}.items():
        names = ("python", "dask", "distributed") if name == "scheduler" else expected
        actual = _compared(state)
        if differing := [package for package in names if actual.get(package) != expected[package]]:
            package = differing[0]
            raise InputError(
                "the scheduler or a worker runs other versions of the packages", where=f"{name} of {address}",
                expected=f"{package} {expected[package]}", found=f"{package} {actual.get(package)}",
                fix="start it in the same .venv-region (bin/region-environment), from the same commit",
            )  # fmt: skip


def refuse_other_code(hashes: dict[str, str]) -> None:
    """Refuse workers, by address, whose code hashes to something else; a cell refuses those that join later.

    Raises
    ------
    InputError
        It is so.
    """
    for name, actual in hashes.items():
        if actual != code_hash():
            raise InputError(
                "a worker has other code", where=name, expected=code_hash()[:12], found=actual[:12],
                fix="start the workers from this commit, without changes of their own, and run the same command again",
            )  # fmt: skip


def _compared(state: Any) -> dict[str, str]:
    packages = {name: str(version) for name, version in state["packages"].items()}
    names = ("python", "dask", "distributed", *PACKAGES)
    return {name: packages.get(name, "absent") for name in names}


def map_cells(region: RegionParams, jobs: Sequence[Job], results: Results, *, pixels: dict[str, int]) -> Outcome:
    """Map every cell that is not done, the first ones first, and return what became of each.

    Parameters
    ----------
    pixels
        Pixels of all scenes of each cell, for the rate.

    Raises
    ------
    StorageError
        The scheduler was lost, or a worker cannot write: finished cells stay.
    """
    outcome = Outcome()
    for job in jobs:
        if manifest := results.manifest(job.place):
            outcome.manifests[job.cell] = manifest
    left = [job for job in jobs if job.cell not in outcome.manifests]
    log.info("%d of %d cells are done already", len(outcome.manifests), len(jobs))
    if left:
        with connect(region) as client:
            watch(client, left, outcome, pixels=pixels, attempts=region.region.attempts)
    return outcome


def watch(
    client: Client,
    jobs: Sequence[Job],
    outcome: Outcome,
    *,
    pixels: dict[str, int],
    attempts: int,
    work: Callable[[Job], dict[str, Any]] = worker.work,
) -> None:
    """Have the workers do the jobs, the first ones first, and note in `outcome` what became of each.

    Raises
    ------
    StorageError
        The scheduler was lost, or a worker cannot write.
    """
    progress, waiting = _Progress(jobs, pixels), iter(enumerate(jobs))

    def submit(number: int, job: Job) -> Any:
        key = f"{job.cell}-{job.key[:16]}"
        return client.submit(work, job, key=key, retries=attempts - 1, priority=-number)

    futures = {submit(number, job): job for number, job in islice(waiting, AHEAD)}
    ready = as_completed(futures, with_results=True, raise_errors=False)
    for future, result in ready:
        job = futures.pop(future)  # and the cluster forgets it
        if future.status == "finished":
            outcome.manifests[job.cell] = result
            outcome.mapped += 1
        elif future.status == "error":
            if isinstance(error := future.exception(), worker.PlaceError):
                raise _no_place(job, error)
            outcome.failed[job.cell] = reason(error)
        else:
            raise StorageError(
                "the scheduler was lost", where=job.cell, found=f"the cell is {future.status}",
                fix="run the same command again: finished cells stay",
            )  # fmt: skip
        progress.log(job, outcome)
        for number, following in islice(waiting, 1):
            futures[added := submit(number, following)] = following
            ready.add(added)


class _Progress:
    """Says after every cell how far the region is."""

    def __init__(self, jobs: Sequence[Job], pixels: dict[str, int]) -> None:
        self.pixels, self.cells = pixels, len(jobs)
        self.total, self.mapped, self.started = sum(pixels[job.cell] for job in jobs), 0, time.monotonic()

    def log(self, job: Job, outcome: Outcome) -> None:
        """Log a line of a cell that is done or failed."""
        failed = job.cell in outcome.failed
        self.mapped += 0 if failed else self.pixels[job.cell]
        rate = self.mapped / 1e6 / (time.monotonic() - self.started)
        log.info(
            "%s: %s; %d of %d cells, %d failed, %.2f Mpx/s, %.0f s left", job.cell,
            "failed" if failed else f"{len(job.glaciers)} glacier(s)", outcome.mapped + len(outcome.failed), self.cells,
            len(outcome.failed), rate, (self.total - self.mapped) / 1e6 / rate if rate else 0.0,
        )  # fmt: skip


def _no_place(job: Job, error: Exception) -> StorageError:
    return StorageError(
        "a cell cannot be written or read", where=job.cell, found=reason(error),
        fix="make room, or let the store answer, and run the same command again: finished cells stay",
    )  # fmt: skip


def reason(error: BaseException | None) -> str:
    """Return why a cell failed, in one line."""
    if type(error).__name__ == "KilledWorker":
        return "the worker that mapped it died each time: it had too little memory, or was killed"
    return " ".join(str(error).split())
