"""The folds of a cross-validation stand under the run with their pooled scores, once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mlflow
import pytest

from sandbox import tiny
from stages.common.params.schema import load_params
from versions.crossval_runs import METRICS, log_crossval

SCORES = {"iou": 0.7, "f1": 0.8, "precision": 0.8, "recall": 0.8, "area_bias_pct": -2.0, "boundary_distance_m": None}
FOLDS = [
    {"fold": fold, "threshold": 0.5, "temperature": 1.0, "baseline_threshold_rule": "NDSI >= 0.4", "test_area_km2": 1.0,
     "model": SCORES | {"iou": 0.6 + fold / 10}}
    for fold in (0, 1)
]  # fmt: skip
RESULT = {
    "year": 2020, "test_area_km2": 2.0, "test_glacier_km2": 1.0, "model": SCORES, "model_outside_ignore_band": SCORES,
    "baseline_everything_is_glacier": SCORES, "baseline_threshold": SCORES, "expected_calibration_error": 0.04,
    "complete": True, "gap_km2": 0.0, "folds": FOLDS, "glaciers": 2, "glacier_iou_median": 0.7,
    "glacier_area_bias_median_pct": -1.0, "area_error": None, "area_coverage": {"blocks": 6},
}  # fmt: skip


def test_each_fold_is_a_run_below_the_pooled_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path
) -> None:
    for name in (".dvc", "mlruns", "metrics"):
        (tmp_path / name).mkdir()
    shutil.copy(empty_database, tmp_path / "mlruns")
    tiny.write_params(tmp_path, tiny.params(tmp_path / "source", [2020]))
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / METRICS).write_text(json.dumps(RESULT))
    for _ in range(2):
        log_crossval(load_params())
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    (pooled,) = (run for run in runs if "crossval_md5" in run.data.tags)
    folds = {run.data.tags["fold"]: run for run in runs if run is not pooled}
    assert pooled.data.metrics["crossval/iou"] == 0.7
    assert {fold: run.data.metrics["crossval/iou"] for fold, run in folds.items()} == {"0": 0.6, "1": 0.7}
    assert {run.data.tags["mlflow.parentRunId"] for run in folds.values()} == {pooled.info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
