"""Ratios that tell how fast the pipeline is, whatever the machine: each from runs that take turns on the same cores."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from bench.cost.memory import make_site, measure_stage
from bench.predict import make_scene, run_task
from bench.speed.limits import measure_limits

STAGES = ("prepare", "predict", "area")
MPX_OF_STAGES = 2.56
"""Size of the demo, whose stages are measured."""


@dataclass(frozen=True)
class Figure:
    """A ratio, and which way it is better."""

    name: str
    value: float
    goal: float | None
    """What it should be; None: no goal is set."""
    higher_is_better: bool

    def is_worse(self, recorded: float, tolerance: float) -> bool:
        """Return whether it is worse than a recorded value by more than that part of it."""
        change = (self.value - recorded) / recorded
        return (-change if self.higher_is_better else change) > tolerance


def figures_of_predict(scratch: Path, mpx: float, repeats: int) -> tuple[list[Figure], dict[str, float]]:
    """Measure `predict` on a scene, the bare session and the published method in turn; return ratios and limits."""
    kflop = run_task("model", scratch)["kflop_per_px"]
    make_scene(scratch / "scene", round((mpx * 1e6) ** 0.5))
    rounds = []
    for _ in range(repeats):
        tasks = {task: run_task(task, scratch / "scene") for task in ("stage", "bare", "published")}
        rounds.append({name: values["mpx_per_s"] for name, values in tasks.items()} | measure_limits())
    limits = {name: statistics.median(each[name] for each in rounds) for name in ("gemm_gflops", "bandwidth_gb_per_s")}
    computed, mib = tasks["stage"]["computed_ratio"], tasks["stage"]["peak_mib"]

    def median(above: str, below: str, factor: float = 1.0) -> float:
        return float(statistics.median(factor * each[above] / each[below] for each in rounds))

    rows: list[tuple[str, float, float | None, bool]] = [
        ("speed / bare session in memory, without margins", median("stage", "bare"), 0.85, True),
        ("speed / published method", median("stage", "published"), 60, True),
        ("arithmetic / matrix product of the machine", median("stage", "gemm_gflops", kflop * computed), None, True),
        ("pixels computed / pixels of the scene", computed, 1.05, False),
        ("peak memory, GiB", mib / 1024, 1.0, False),
    ]
    return [Figure(f"predict, {mpx:g} Mpx: {name}", value, goal, higher) for name, value, goal, higher in rows], limits


def figures_of_stages(site: Path, demo: Path, repeats: int) -> list[Figure]:
    """Measure stages of the demo: processor time, in times that the machine takes for 100 GFLOP of matrix products."""
    make_site(site, demo, round((MPX_OF_STAGES * 1e6) ** 0.5))
    for stage in ("prepare", "labels", "predict"):
        measure_stage(site, stage)
    ratios: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for _ in range(repeats):
        for stage in STAGES:
            seconds = measure_stage(site, stage)["cpu_s"]
            ratios[stage].append(seconds * measure_limits()["gemm_gflops"] / 100)
    unit = "CPU-seconds x machine's GFLOP/s / 100"
    return [Figure(f"{stage}, demo: {unit}", statistics.median(each), None, False) for stage, each in ratios.items()]
