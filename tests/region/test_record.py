"""A state of a region's results is one MLflow run, however often it is put together."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import mlflow
import pytest

from region.params import load_region
from region.record import log_run
from region.results import results_of
from region.totals import region_trend, totals
from sandbox import mountains
from tests.region.test_totals import FACTORS, row


def test_a_state_is_logged_once(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    region = load_region(mountains.make_region(tmp_path / "regions"))
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    by_year = totals([row("a", 1, year) for year in range(2015, 2020)], FACTORS)
    trend, results = region_trend(by_year, change_sigma_km2=0), results_of(region)
    results.write("totals.csv", b"year,area_km2\n")

    def logged() -> str:
        return log_run(region, by_year, trend, results, logging.getLogger("test"))

    assert logged().startswith("logged run range-")
    assert "logged already" in logged()
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("region-range").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["area_km2"] == 10
    assert run.data.params["region.cell_km"] == "6.0"
    assert [point.step for point in client.get_metric_history(run.info.run_id, "area_km2")] == list(range(2015, 2020))
    results.write("totals.csv", b"year,area_km2\n2015,10\n")
    assert logged().startswith("logged run range-")
