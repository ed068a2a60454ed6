"""What this machine can do at most: multiply matrices, and move memory.

Figures of stages are divided by these, so that figures of two machines can be compared.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from bench.fresh_process import run_worker

SIDE = 2048
BLOCK_MIB = 256
REPEATS = 5


def measure_limits() -> dict[str, float]:
    """Measure, in a process of its own, `gemm_gflops` (float32, all cores) and `bandwidth_gb_per_s`."""
    return run_worker("bench.speed.limits", "both", "")


def gemm_gflops() -> float:
    """Return the best of `REPEATS` products of two square matrices, in 1e9 operations a second."""
    left = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    return 2e-9 * SIDE**3 / _least_seconds(lambda: left @ left)


def bandwidth_gb_per_s() -> float:
    """Return the best of `REPEATS` copies of a block that no cache holds, in 1e9 bytes read and written a second."""
    block = np.ones(BLOCK_MIB * 2**18, dtype=np.float32)
    target = np.empty_like(block)
    return 2e-9 * block.nbytes / _least_seconds(lambda: np.copyto(target, block))


def _least_seconds(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS + 1):  # the first one warms up
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


if __name__ == "__main__":
    assert sys.argv[1] == "--worker"
    print(json.dumps({"gemm_gflops": gemm_gflops(), "bandwidth_gb_per_s": bandwidth_gb_per_s()}))
