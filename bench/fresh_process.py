"""Measurements and stages that run in a fresh process each, so that memory and libraries are their own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def run_worker(module: str, task: str, argument: str, *, folder: Path = ROOT) -> dict[str, Any]:
    """Run ``python -m module --worker task argument`` in `folder` and return the JSON that it prints last.

    Messages of the worker go to standard error.
    """
    command = [sys.executable, "-m", module, "--worker", task, argument]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    worker = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment)
    return dict(json.loads(worker.stdout.splitlines()[-1]))


def run_stages(site: Path, year: int, *stages: str) -> None:
    """Run stages of one year in `site`, in processes of their own; their messages go to standard error."""
    for name in stages:
        per_year = ["--year", str(year)] if name in ("prepare", "patches", "predict") else []
        command = [sys.executable, "-m", f"stages.{name}", *per_year]
        subprocess.run(command, cwd=site, check=True, stdout=sys.stderr, env=os.environ | {"PYTHONPATH": str(ROOT)})


def cpu_of_children_s() -> float:
    """Return the CPU-seconds of all processes that this one has waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
