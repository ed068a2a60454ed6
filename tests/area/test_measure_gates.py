"""Gates, overrides and refusals of the stage."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest

from stages.area.contract import CONTRACT
from stages.common.run.outputs import write_table
from stages.common.tables.area import AreaMetrics
from stages.common.tables.labels import GlacierRow
from tests.area.area_inputs import GRID, PIXEL_KM2, run_area, write_inputs
from tests.area.area_outputs import OUT, areas, clouded, gates, ice_of, trend


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_no_year_seen_well_enough() -> None:
    write_inputs(Path(), {2020: ice_of()}, observed={2020: clouded(slice(0, 160))})
    assert run_area() == 0
    (row,) = areas()
    assert (row.glacier_area_km2, row.area_high_km2, row.common_area_km2, row.valid_fraction) == (0, 0, None, 0)
    assert row.unseen_km2 == pytest.approx(ice_of().sum() * PIXEL_KM2, rel=1e-3)
    assert len(geopandas.read_file(OUT / "outlines_2020.gpkg")) == 0
    assert "No year was observed well enough" in trend().statement
    assert json.loads(Path("metrics/area.json").read_text())["change_pct"] is None


def test_everything_mapped_as_ice_fails_the_gates_but_not_the_stage() -> None:
    write_inputs(Path(), {2020: np.ones(GRID.shape, dtype=np.uint8)})
    assert run_area() == 0
    failed = {name for name, finding in gates().items() if not finding["passed"]}
    assert failed == {"glacier_fraction_of_aoi", "area_to_outlines_ratio", "outside_outlines"}
    assert "the model calls everything ice" in gates()["glacier_fraction_of_aoi"]["message"]
    assert json.loads(Path("metrics/area.json").read_text())["gates_failed"] == 3


def test_an_expert_may_let_a_failed_gate_pass_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    override = {"override": ["glacier_fraction_of_aoi", "trend"]}
    write_inputs(Path(), {2020: np.ones(GRID.shape, dtype=np.uint8)}, gates=override)
    assert run_area() == 0
    overridden = gates()["glacier_fraction_of_aoi"]
    assert (overridden["passed"], overridden["overridden"]) == (True, True)
    assert "the model calls everything ice" in overridden["message"]
    assert not gates()["trend"]["overridden"], "it did not fail"
    assert not gates()["area_to_outlines_ratio"]["passed"]
    metrics = AreaMetrics.model_validate_json(Path("metrics/area.json").read_text())
    assert (metrics.gates_failed, metrics.gates_overridden) == (2, 1)
    assert "gate glacier_fraction_of_aoi (overridden): " in capsys.readouterr().err


def test_an_override_of_no_gate_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(Path(), {2020: ice_of()}, gates={"override": ["glacier_fraction"]})
    assert run_area() == 2
    message = capsys.readouterr().err
    assert "gates.override.0" in message
    assert "'glacier_fraction_of_aoi'" in message


def test_a_missing_year_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(Path(), {2020: ice_of(), 2021: ice_of()})
    Path("artifacts/predict/2021/mask.tif").unlink()
    assert run_area() == 2
    assert "2021" in capsys.readouterr().err
    assert not OUT.exists()


def test_a_glacier_table_that_does_not_fit_its_raster_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(Path(), {2020: ice_of()})
    write_table(Path("artifacts/labels/glaciers.csv"), [], GlacierRow)
    assert run_area() == 2
    assert "glaciers.csv does not fit glacier_id.tif" in capsys.readouterr().err


def test_the_contract_describes_itself() -> None:
    assert set(CONTRACT.describe()["properties"]["outputs"]["properties"]) == {
        "glacier_area_by_year.csv", "area_by_glacier.csv", "trend_by_glacier.csv", "series.json", "seasons.csv",
        "outlines_{years}.gpkg", "truth_by_year.csv", "trend.json", "gates.json", "drift_by_year.csv",
        "change_area_by_year.csv", "change_trend.json", "outlines_product.json", "review.csv",
        "terminus_by_year.csv", "terminus_by_glacier.csv", "change_{years}.tif", "change_by_glacier.csv",
            "flow_lines.gpkg", "fronts.gpkg",
    }  # fmt: skip
