"""``python -m region`` run as a user runs it, with the times of its parts."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow

from bench.fresh_process import cpu_of_children_s
from region.params import load_region
from region.results import Results, results_of
from sandbox import tiny
from stages.track import store

PLANNED, CELL = re.compile(r"cells are done already"), re.compile(r"region: (\S+): \d+ glacier\(s\); ")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A whole run. Times are seconds that went by; `cpu_s` is of all its processes."""

    home: Path
    name: str
    elapsed_s: float
    cpu_s: float
    plan_s: float
    """Until the first cell is sent."""
    cell_ends_s: dict[str, float]
    """When each cell was done, since the start."""

    @property
    def results(self) -> Results:
        """Where they are."""
        return results_of(load_region(self.home / "regions" / self.name))

    @cached_property
    def manifests(self) -> dict[str, dict[str, Any]]:
        """Manifest of every cell, by its name."""
        return {manifest["cell"]: manifest for manifest in self.results.manifests(most=len(self.cell_ends_s))}

    @property
    def hashes(self) -> dict[str, dict[str, Any]]:
        """Bytes and MD5 of every file of every cell."""
        return {name: manifest["files"] for name, manifest in self.manifests.items()}

    @property
    def cells_s(self) -> float:
        """From the plan to the end of the last cell: the cluster starts, and the cells are mapped."""
        return max(self.cell_ends_s.values()) - self.plan_s

    @property
    def end_s(self) -> float:
        """After the last cell: tables, report and MLflow."""
        return self.elapsed_s - max(self.cell_ends_s.values())

    @property
    def stages_s(self) -> float:
        """Of the stages of all cells."""
        return float(sum(manifest["seconds"]["all"] for manifest in self.manifests.values()))

    @property
    def stages_cpu_s(self) -> float:
        """Of the stages of all cells, in CPU-seconds."""
        return float(sum(manifest["cpu_seconds"] for manifest in self.manifests.values()))

    @property
    def peak_mib(self) -> int:
        """Largest memory of a worker."""
        return int(max(manifest["worker_peak_mib"] for manifest in self.manifests.values()))

    @property
    def between(self) -> float:
        """Share of one worker's time, from the end of its first cell to that of its last, in which no stage ran."""
        first = min(self.cell_ends_s, key=self.cell_ends_s.__getitem__)
        span_s = max(self.cell_ends_s.values()) - self.cell_ends_s[first]
        others_s = self.stages_s - float(self.manifests[first]["seconds"]["all"])
        return 1 - others_s / span_s


def make_store(home: Path) -> None:
    """Make MLflow's database before anything is timed: a checkout has one."""
    (home / "mlruns").mkdir(exist_ok=True)
    with store.quiet(logging.getLogger("bench")):
        mlflow.MlflowClient(f"sqlite:///{home}/mlruns/mlflow.db").search_experiments()


def environment() -> dict[str, str]:
    """Return the shell of the runs: this code, and every line at once."""
    return os.environ | {"PYTHONPATH": str(tiny.ROOT), "PYTHONUNBUFFERED": "1"}


def run_region(home: Path, name: str) -> Run:
    """Map a region of ``<home>/regions`` to its end."""
    began, cpu_s, plan_s, ends, log = time.monotonic(), cpu_of_children_s(), 0.0, dict[str, float](), ""
    process = subprocess.Popen(
        [sys.executable, "-m", "region", name], cwd=home, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    for line in process.stdout or ():
        log += line
        now_s = time.monotonic() - began
        if PLANNED.search(line):
            plan_s = now_s
        if done := CELL.search(line):
            ends[done[1]] = now_s
    if process.wait():
        raise SystemExit(f"the region ended with {process.returncode}:\n{log[-3000:]}")
    return Run(
        home=home, name=name, elapsed_s=time.monotonic() - began, cpu_s=cpu_of_children_s() - cpu_s, plan_s=plan_s,
        cell_ends_s=ends,
    )  # fmt: skip
