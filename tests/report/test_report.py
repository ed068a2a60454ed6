"""The stage as a whole, through its contract."""

from __future__ import annotations

import json
import logging

import pytest
import yaml

from stages.common.errors import ContractError
from stages.common.run.stage import main, run_stage
from stages.report.contract import CONTRACT
from stages.report.report import report
from tests.report import report_inputs
from tests.report.conftest import run_report

OUTPUTS = {
    "glacier_retreat_graph.png",
    "glacier_retreat_timelapse.gif",
    "prediction_gallery.png",
    "index.html",
    "series.gpkg",
    "glacier.qgz",
}
CHANGE_MAP = "change_map.png"
"""Only where two years can be compared."""


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(report_inputs.make_artifacts(tmp_path / "site", (2023, 2024)))
    return tmp_path / "site"


def run():
    run_stage(CONTRACT, report, year=None, log=logging.getLogger("report"))


def test_stage_writes_what_it_declares(nine_years, one_year):
    assert {path.name for path in nine_years.iterdir()} == OUTPUTS | {CHANGE_MAP}
    assert {path.name for path in one_year.iterdir()} == OUTPUTS


def test_two_runs_give_the_same_bytes(nine_years, tmp_path):
    again = run_report(report_inputs.make_artifacts(tmp_path, storage="sentinel2"))
    for name in OUTPUTS | {CHANGE_MAP}:
        assert (again / name).read_bytes() == (nine_years / name).read_bytes(), name


def test_files_are_small(nine_years):
    assert (nine_years / "glacier_retreat_timelapse.gif").stat().st_size < 3e6
    assert (nine_years / "index.html").stat().st_size < 8e6


def test_area_table_of_other_years_is_refused(site):
    path = site / "artifacts/area/series.json"
    series = json.loads(path.read_text())
    path.write_text(json.dumps(series | {"years": series["years"][:-1]}))
    with pytest.raises(ContractError, match="does not list each year") as caught:
        run()
    assert caught.value.expected == "2023, 2024"
    assert caught.value.found == "2023"
    assert not (site / "artifacts/report").exists()


@pytest.mark.parametrize("simulated", [True, False])
def test_marks_of_simulation_and_what_the_data_are_must_agree(site, simulated, capsys):
    """A twin may not pass for a measurement, nor the other way round."""
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["site"]["simulated"] = simulated
    (site / "params.yaml").write_text(yaml.safe_dump(content))
    if simulated:
        (site / "artifacts/area/truth_by_year.csv").unlink()
    assert main(CONTRACT, report, []) == 2
    message = capsys.readouterr().err
    assert "params.yaml: site.simulated" in message
    assert ("do not contain the true glaciers" if simulated else "does not say so") in message
    assert not (site / "artifacts/report").exists()


def test_truth_of_other_years_is_refused(site):
    path = site / "artifacts/area/truth_by_year.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ContractError, match="does not list each year"):
        run()


def test_scene_without_a_band_to_show_is_refused(site):
    path = site / "artifacts/prepare/2024/provenance.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"bands": ["nir", "green", "blue"]}))
    with pytest.raises(ContractError, match="lacks a band") as caught:
        run()
    assert caught.value.fix


def test_year_too_many_is_refused(site):
    (site / "artifacts/predict/2025").mkdir()
    with pytest.raises(ContractError, match="exactly the years"):
        run()


def test_no_ice_no_epochs_no_glaciers_still_give_a_report(site):
    for name in ("artifacts/area/trend_by_glacier.csv",
                 "artifacts/area/terminus_by_year.csv", "artifacts/area/terminus_by_glacier.csv",
                 "artifacts/area/change_by_glacier.csv", "artifacts/area/seasons.csv",
                 "artifacts/evaluate/glacier_scores.csv",
                 "artifacts/evaluate/precision_recall.csv", "artifacts/evaluate/reliability.csv"):  # fmt: skip
        path = site / name
        path.write_text(path.read_text().splitlines()[0] + "\n")
    path = site / "artifacts/area/series.json"
    series = json.loads(path.read_text())
    years = series["years"]
    areas = [name for name in years[0] if name.endswith("_km2") and name != "unseen_km2" and years[0][name]]
    series |= {"years": [row | dict.fromkeys(areas, 0.0) for row in years], "glaciers": []}
    path.write_text(json.dumps(series))
    run()
    assert {path.name for path in (site / "artifacts/report").iterdir()} == OUTPUTS | {CHANGE_MAP}


def test_command_line_prints_the_contract(capsys):
    assert main(CONTRACT, report, ["--describe"]) == 0
    assert set(json.loads(capsys.readouterr().out)["properties"]["outputs"]["properties"]) == OUTPUTS | {CHANGE_MAP}
