"""What a Dask worker does: ``dask worker <address> --nthreads 1 --preload region.worker``.

A worker of this machine is set up in the same way. One thread a process: a cell changes the working directory, and the
arithmetic of a stage is for one core.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from distributed import Semaphore, get_worker

from region.cell import Job, map_cell
from stages.common import settings
from stages.common.errors import GlacierError, StorageError
from stages.common.run.environment import set_aside

SETTINGS = {settings.INFERENCE_THREADS: "1", "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
"""One core a worker, and no bars of progress: the console of the client shows the cells."""

MALLOC_SETTINGS = {-3: 32 * 2**20, -1: 64 * 2**20}
"""M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of glibc's malloc.h, in bytes: where they end up in a stage's own process."""

LEASE_TIMEOUT_S = 60
"""Seconds after which the lease of a worker that died is free again."""


class CellError(Exception):
    """A cell failed; the reason in one text, so that it goes through any pickle."""


class PlaceError(CellError):
    """The worker's disk, or the place of the results, cannot be written or read: no other cell fares better."""


def set_up() -> None:
    """Let nothing of the shell change a result, as `stages.common.run.start` does for a stage."""
    set_aside("region", command=True)
    os.environ.update(SETTINGS)


@cache
def keep_freed_memory() -> None:
    """Let an array use the memory of one that is gone, as in a process that Dask has not started.

    Dask's nanny sets MALLOC_TRIM_THRESHOLD_, by which each array comes anew from the system, page by page: a cell then
    takes half as much processor time again (docs/region.md).
    """
    with suppress(OSError, AttributeError):  # another C library
        for name, value in MALLOC_SETTINGS.items():
            ctypes.CDLL(None).mallopt(name, value)


def dask_setup(_worker: Any) -> None:
    """Set up a worker that somebody else has started (Dask calls it)."""
    set_up()


def lease(catalogue: tuple[str, int] | None) -> AbstractContextManager[Any]:
    """Return what a cell holds while it asks a catalogue: one of so many leases that all workers share."""
    if catalogue is None:
        return nullcontext()
    name, size = catalogue
    return Semaphore(max_leases=size, name=name)  # type: ignore[no-any-return]


def work(job: Job) -> dict[str, Any]:
    """Map a cell on the worker that this runs on, and return its manifest.

    Raises
    ------
    CellError
        It failed.
    PlaceError
        It could not be written.
    """
    keep_freed_memory()
    scratch = Path(get_worker().local_directory) / "cells"
    try:
        return map_cell(job, scratch, lambda: lease(job.catalogue))
    except StorageError as error:
        raise PlaceError(str(error)) from None
    except GlacierError as error:
        raise CellError(str(error)) from None
    except Exception as error:
        raise CellError(" ".join(f"{type(error).__name__}: {error}".split())) from error
