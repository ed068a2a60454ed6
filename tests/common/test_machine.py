"""What a process gives back to the machine."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import numpy as np
import pytest

from stages.common.machine import give_back_memory


def resident_mib() -> float:
    (kib,) = re.findall(r"^VmRSS:\s*(\d+) kB$", Path("/proc/self/status").read_text(encoding="utf-8"), re.M)
    return int(kib) / 1024


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_freed_arrays_are_given_back() -> None:
    """200 MiB in arrays of 64 KiB, which malloc does not map one by one; the last one stays, at the end of them."""
    arrays = [np.ones(2**13) for _ in range(3200)]
    last = arrays.pop()
    del arrays
    held = resident_mib()
    give_back_memory()
    assert held - resident_mib() > 150 and last[0] == 1
