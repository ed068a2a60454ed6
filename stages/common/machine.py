"""What this process may use of the machine: cores and memory."""

from __future__ import annotations

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
