"""A stage in a process of its own that imports nothing before it; prints its peak memory and CPU-seconds.

cd <site> && python -m bench.cost.stage --worker prepare 2019
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
from pathlib import Path


def run_here(stage: str, year: str) -> dict[str, float]:
    """Run a stage in this process, as its command does, and return its peak memory and CPU-seconds."""
    sys.argv = [stage, *(["--year", year] if year else [])]
    try:
        runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code not in (0, None):
            raise
    (peak_kib,) = re.findall(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(encoding="utf-8"), re.M)
    return {"peak_mib": int(peak_kib) / 1024, "cpu_s": sum(os.times()[:4])}


if __name__ == "__main__":
    print(json.dumps(run_here(*sys.argv[2:])))
