"""Run the whole table of hostile and broken input, each case in a process of its own with bounded memory and time.

    python -m tests.hostile [door]

Prints a line for each case that does not end as it must, then the table of docs/hostile.md. Exit code 1 if any did not.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

ADDRESS_SPACE = 8 * 2**30
"""Bytes of memory that a case may ask the system for; most of it is libraries that are never touched."""

SECONDS_MAX = 60


def main() -> int:
    """Run all cases, or those of one door, and print the results."""
    _load()
    from tests.hostile.table import CASES, KINDS, build

    door = sys.argv[1] if len(sys.argv) > 1 else ""
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="hostile-") as home:
        bases = {kind: Path(home, kind) for kind in KINDS}
        for kind, folder in bases.items():
            folder.mkdir()
            _in_child(partial(_built, build, kind, folder), seconds=300)
        for case in CASES:
            if door in ("", case.door):
                outcome = _one(case, bases[case.base])
                results[case.door].append(outcome | {"expected": case.code})
                if outcome["problems"]:
                    print(f"{case.label}: {outcome['problems']}", flush=True)
    return _report(results)


def _built(build: Callable[[str, Path], Path], kind: str, folder: Path) -> dict[str, Any]:
    return {"built": str(build(kind, folder))}


def _one(case: Any, base: Path) -> dict[str, Any]:
    from tests.hostile.case import attempt

    def work() -> dict[str, Any]:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        with tempfile.TemporaryDirectory(prefix="hostile-case-") as home:
            outcome = attempt(case, base, Path(home))
        return {"problems": outcome.problems, "seconds": outcome.seconds, "memory_mb": outcome.memory_mb}

    return _in_child(work, seconds=SECONDS_MAX)


def _in_child(work: Callable[[], dict[str, Any]], *, seconds: float) -> dict[str, Any]:
    """Do `work` in a fork of this process, which has no threads, and return what it returns."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(work()).encode())
        except BaseException as error:
            os.write(writer, json.dumps({"problems": [repr(error)], "seconds": 0, "memory_mb": 0}).encode())
        os._exit(0)
    os.close(writer)
    began = time.monotonic()
    ready, _, _ = select.select([reader], [], [], seconds)
    content = b"".join(iter(lambda: os.read(reader, 65536), b"")) if ready else b""
    os.close(reader)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    died = {"problems": ["it hangs" if not ready else "its process died"], "memory_mb": 0}
    return json.loads(content) if content else died | {"seconds": time.monotonic() - began}


def _load() -> None:
    """Import what the stages import, once for all children; none of it starts a thread."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import geopandas
    import matplotlib as mpl
    import mlflow
    import pystac_client
    import rasterio.warp

    import stages.area.measure
    import stages.ingest.ingest
    import stages.predict.predict

    del geopandas, mpl, mlflow, pystac_client, rasterio, stages


def _report(results: dict[str, list[dict[str, Any]]]) -> int:
    print("| door | cases | refused with exit code 2 | accepted and made harmless | not as it must be | longest | "
          "most memory more |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for door, outcomes in [*results.items(), ("all", list(chain.from_iterable(results.values())))]:
        bad = sum(bool(outcome["problems"]) for outcome in outcomes)
        refused = sum(outcome["expected"] == 2 and not outcome["problems"] for outcome in outcomes)
        seconds, memory = (max(outcome[key] for outcome in outcomes) for key in ("seconds", "memory_mb"))
        harmless = len(outcomes) - bad - refused
        print(f"| {door} | {len(outcomes)} | {refused} | {harmless} | {bad} | {seconds:.1f} s | {memory:.0f} MB |")
    return int(any(outcome["problems"] for outcome in chain.from_iterable(results.values())))


if __name__ == "__main__":
    raise SystemExit(main())
