"""What this process may use of the machine, and what it gives back: cores and memory."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Holds a container's memory in bytes, or ``max``."""


def usable_cores() -> int:
    """Return the cores that this process may use (a container's CPU set counts, not the host's cores)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1  # macOS has none


def memory_bytes() -> float:
    """Return the memory of the machine, or what its container may use."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    text = MEMORY_LIMIT.read_text(encoding="ascii").strip() if MEMORY_LIMIT.exists() else "max"
    return min(total, float(text)) if text.isdigit() else total


def give_back_memory() -> None:
    """Give freed memory back to the system, after work of many threads or of arrays of a few MB; some 20 ms.

    glibc keeps such memory for later arrays of that size, hundreds of MB of it, and takes new memory for planes of a
    scene. Other C libraries have no such call.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
