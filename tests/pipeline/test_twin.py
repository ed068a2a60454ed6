"""The whole chain on small twins, one model: planted change is found, none is not, a wrong offset is caught."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sandbox import twin_site
from stages.area.contract import CONTRACT as AREA
from stages.area.measure import measure
from stages.common.errors import InputError
from stages.common.geo.raster import open_raster
from stages.common.run.contracts import Contract
from stages.common.run.records import read_rows
from stages.common.run.stage import Entry, run_stage
from stages.common.scene.harmonise import Calibration, calibration_of
from stages.common.scene.store import read_scenes
from stages.common.tables.area import AreaRow, SeasonRow
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from stages.predict.contract import CONTRACT as PREDICT
from stages.predict.predict import predict
from stages.prepare.contract import CONTRACT as PREPARE
from stages.prepare.prepare import prepare
from tests import forked

YEARS = list(range(2016, 2025))
SMALL_NET = {"depth": 2, "epochs": 8}
"""27 CPU-seconds for the 45 of the default depth and 12 epochs, and as good here: IoU 0.83 for 0.81, slope 0.89 for
0.85 times the truth. Most of what is left is TensorFlow's start."""
LOG = logging.getLogger("test")


def run(contract: Contract, entry: Entry, *years: int) -> None:
    for year in years or (None,):
        run_stage(contract, entry, year=year, log=LOG)


def map_all(site: Path, train: Callable[[], None]) -> dict[str, Any]:
    """Run a twin from its scenes to its areas; return metrics/area.json and trend.json together."""
    (site / "metrics").mkdir(exist_ok=True)
    run(PREPARE, prepare, *YEARS)
    run(LABELS, label)
    train()
    run(PREDICT, predict, *YEARS)
    run(AREA, measure)
    return {name: json.loads((site / name).read_text()) for name in ("metrics/area.json", "artifacts/area/trend.json")}


@pytest.fixture(scope="module")
def retreating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A twin that loses ice, with the model trained on its first year."""
    site = tmp_path_factory.mktemp("retreating")

    def train() -> None:
        run(PATCHES, cut_patches, YEARS[0])
        forked.run((sys.executable, "-m", "stages.train"), env=twin_site.environment(), check=True)

    with pytest.MonkeyPatch.context() as patch:
        content = twin_site.params(YEARS, retreat_m_per_year=40.0)
        content["train"] |= SMALL_NET
        patch.chdir(twin_site.ingest_as(site, content))
        yield site, map_all(site, train)


def test_planted_loss_is_found(retreating: tuple[Path, dict[str, Any]]) -> None:
    _, results = retreating
    truth, trend = results["metrics/area.json"]["truth"], results["artifacts/area/trend.json"]
    assert truth["true_slope_km2_per_year"] < 0
    assert trend["slope_km2_per_year"] < 0
    assert 0.5 < truth["slope_ratio"] < 1.5
    assert truth["iou"] > 0.5


def test_without_change_no_trend_is_reported(
    retreating: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = retreating
    still = twin_site.ingest(tmp_path, YEARS, retreat_m_per_year=0.0, debris_growth_km2_per_year=0.0)
    monkeypatch.chdir(still)

    results = map_all(still, lambda: shutil.copytree(site / "artifacts/train", still / "artifacts/train") and None)

    assert results["metrics/area.json"]["truth"]["true_slope_km2_per_year"] == pytest.approx(0, abs=1e-9)
    assert not results["artifacts/area/trend.json"]["detectable"]
    assert "No change in area detected: " in results["artifacts/area/trend.json"]["statement"]


def test_several_scenes_a_year_are_mapped_each_and_merged(
    retreating: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = retreating
    years, (cloudy, clear) = YEARS[:2], YEARS[:2]
    content = twin_site.params(years, cloudy_years=[cloudy])
    content["ingest"]["choice"] = {"scenes_per_year": 3}
    content["prepare"]["passes"] = "separate"
    monkeypatch.chdir(twin_site.ingest_as(tmp_path, content))
    shutil.copytree(site / "artifacts/train", "artifacts/train")
    Path("metrics").mkdir()

    run(PREPARE, prepare, *years)
    run(LABELS, label)
    run(PREDICT, predict, *years)
    run(AREA, measure)

    rows = read_rows(Path("artifacts/area/seasons.csv"), SeasonRow)
    assert [(row.year, row.pass_number) for row in rows] == [(year, number) for year in years for number in (1, 2, 3)]
    assert len({row.date for row in rows}) == 6
    assert {row.shared_fraction < 1 for row in rows if row.year == cloudy} == {True}
    areas = {row.year: row for row in read_rows(Path("artifacts/area/glacier_area_by_year.csv"), AreaRow)}
    assert areas[cloudy].valid_fraction > next(row.shared_fraction for row in rows if row.year == cloudy)
    for year in years:
        of_passes = [row for row in rows if row.year == year]
        spread = np.std([row.area_km2 for row in of_passes], ddof=1) / of_passes[0].consensus_km2
        # Figures are rounded to 0.1 km2: areas off by 0.05 move their standard deviation by up to 0.06, beside its own.
        assert areas[year].sigma_season_km2 == pytest.approx(spread * areas[year].image_area_km2, abs=0.12)
        assert 0 < areas[year].sigma_season_km2 < 0.1 * areas[year].glacier_area_km2
    assert json.loads(Path("metrics/area.json").read_text())["truth"]["iou"] > 0.5
    assert len(areas[clear].scene_ids.split(";")) == 3


def mishandle(site: Path, year: int, baseline: str) -> None:
    """Give a stored scene another baseline than its pixels have."""
    for item in (site / f"data/scenes/{year}").glob("*/*.json"):
        content = json.loads(item.read_text())
        content["properties"]["processing:version"] = baseline
        item.write_text(json.dumps(content))


@pytest.fixture
def spoilt(retreating: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the twin's data to do harm to."""
    site, _ = retreating
    shutil.copytree(site / "data", tmp_path / "data")
    shutil.copy(site / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("year", "baseline", "proof"),
    [
        pytest.param(2022, "03.01", "left in", id="offset left in"),
        pytest.param(2020, "05.00", "twice", id="offset subtracted where there is none"),
    ],
)
def test_a_wrong_offset_is_proven_from_the_pixels(spoilt: Path, year: int, baseline: str, proof: str) -> None:
    mishandle(spoilt, year, baseline)
    with pytest.raises(InputError) as caught:
        run(PREPARE, prepare, year)
    assert proof in str(caught.value)
    assert not Path(f"artifacts/prepare/{year}").exists()


@pytest.mark.parametrize(("year", "baseline"), [(2022, "03.01"), (2020, "05.00")])
def test_a_wrong_offset_is_proven_without_swir_too(spoilt: Path, year: int, baseline: str) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["prepare"]["bands"] = ["B02", "B03", "B04"]
    Path("params.yaml").write_text(yaml.safe_dump(content))
    mishandle(spoilt, year, baseline)
    with pytest.raises(InputError, match="offset"):
        run(PREPARE, prepare, year)


def test_a_wrong_offset_would_have_been_a_false_step(spoilt: Path) -> None:
    def snow_and_ice_km2(year: int, *, harmonised: bool) -> float:
        (scene,) = read_scenes(spoilt / f"data/scenes/{year}")
        as_is = Calibration(scale=1e-4, offset=0.0)
        bands = {}
        for name in ("B03", "B11"):
            how = calibration_of(scene, name) if harmonised else as_is
            with open_raster(scene.bands[name].path) as dataset:
                bands[name] = dataset.read(1) * how.scale + how.offset
        green = bands["B03"].reshape(bands["B11"].shape[0], 2, -1, 2).mean(axis=(1, 3))
        index = (green - bands["B11"]) / np.maximum(green + bands["B11"], 1e-6)
        return float((index > 0.5).sum()) * (2 * twin_site.PIXEL_M) ** 2 / 1e6

    right = snow_and_ice_km2(2022, harmonised=True) / snow_and_ice_km2(2020, harmonised=True)
    wrong = snow_and_ice_km2(2022, harmonised=False) / snow_and_ice_km2(2020, harmonised=False)
    assert abs(right - 1) < 0.15
    assert wrong < right - 0.15
