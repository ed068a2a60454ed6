"""Measurements that run in a fresh process each, so that memory and libraries are their own."""

from __future__ import annotations

import json
import os
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
