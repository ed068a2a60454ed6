from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely.geometry import box

from sandbox import tiny
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.scene.clean_ice import RED, SWIR, is_clean
from stages.common.tables.data import AuxiliaryManifest
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE
from tests.area.area_inputs import GRID, burn, run_area, write_inputs

CLEAN, ROCK = (0.5, 0.02), (0.15, 0.2)
"""Red and short-wave infrared reflectance."""

ROUNDED_KM2 = 0.006
"""Tables hold what the interval supports, here a hundredth; whole numbers stand in series.json."""


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ice() -> np.ndarray:
    return (burn(tiny.outlines()) > 0).astype(np.uint8)


def left_half() -> np.ndarray:
    half = np.zeros(GRID.shape, dtype=bool)
    half[:, : 2100 // 30] = True
    return half


def write_scene(year: int, clean: np.ndarray) -> None:
    """A Sentinel-2 scene that is `clean` ice here and rock elsewhere; nothing is known of its first row."""
    planes = [np.where(clean, CLEAN[band], ROCK[band]) for band in (0, 1)]
    dn = np.stack([np.full(GRID.shape, 0.3), *planes])
    stored = np.round((dn - DN_OFFSET) / DN_SCALE).astype(np.uint16)
    stored[:, 0] = 0
    path = Path(f"artifacts/prepare/{year}/scene.tif")
    write_cog(path, stored, GRID, nodata=0, bands=["B03", RED, SWIR], scale=DN_SCALE, offset=DN_OFFSET)


def give_debris(*shapes: object) -> None:
    geopandas.GeoDataFrame(geometry=list(shapes), crs=GRID.crs).to_file("data/auxiliary/debris.gpkg")
    write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest(debris="debris.gpkg"))


def areas() -> list[dict[str, str]]:
    with Path("artifacts/area/glacier_area_by_year.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("red", "swir", "clean"),
    [
        pytest.param(0.774, 0.024, True, id="snow"),
        pytest.param(0.335, 0.016, True, id="ice"),
        pytest.param(0.158, 0.223, False, id="debris"),
        pytest.param(0.4, 0.2, True, id="just"),
        pytest.param(0.39, 0.2, False, id="just not"),
        pytest.param(0.012, 0.002, False, id="shadow: two dark values say nothing"),
        pytest.param(0.05, -0.003, True, id="ice in shadow, negative short-wave infrared"),
        pytest.param(-0.01, -0.02, False, id="both negative"),
        pytest.param(np.nan, 0.1, False, id="not known"),
    ],
)
def test_the_band_ratio(red: float, swir: float, clean: bool) -> None:
    is_clean_pixel = is_clean(np.float32([red]), np.float32([swir]), ratio_min=2.0)
    assert is_clean_pixel.tolist() == [clean]


def test_clean_and_debris_covered_ice_add_up_to_the_whole_by_year_and_by_glacier() -> None:
    write_inputs(Path(), {2020: ice(), 2021: ice()})
    write_scene(2020, left_half() & (ice() > 0))
    write_scene(2021, ice() > 0)
    assert run_area() == 0
    first, second = areas()
    pixel_km2 = float(first["glacier_area_km2"]) / ice().sum()
    assert float(first["clean_ice_km2"]) == pytest.approx((ice() * left_half()).sum() * pixel_km2, abs=ROUNDED_KM2)
    for row in (first, second):
        whole = float(row["clean_ice_km2"]) + float(row["debris_covered_km2"])
        assert whole == pytest.approx(float(row["glacier_area_km2"]), abs=2 * ROUNDED_KM2)
        assert row["surface_method"] == "B04 / B11 of at least 2"
    assert float(second["debris_covered_km2"]) == 0
    with Path("artifacts/area/area_by_glacier.csv").open(encoding="utf-8") as stream:
        glaciers = [row for row in csv.DictReader(stream) if row["year"] == "2020"]
    assert sum(float(row["debris_covered_km2"]) for row in glaciers) == pytest.approx(
        float(first["debris_covered_km2"]), abs=3 * ROUNDED_KM2
    )
    assert float(glaciers[1]["clean_ice_km2"]) == 0  # the small glacier lies in the right half
    assert float(glaciers[0]["clean_ice_km2"]) > 0


def test_the_ratio_is_a_parameter() -> None:
    write_inputs(Path(), {2020: ice()}, area={"surface": {"clean_ratio_min": 4.9}})
    bright_rock = np.round((np.full((2, *GRID.shape), [[[0.4]], [[0.1]]]) - DN_OFFSET) / DN_SCALE).astype(np.uint16)
    path = Path("artifacts/prepare/2020/scene.tif")
    write_cog(path, bright_rock, GRID, nodata=0, bands=[RED, SWIR], scale=DN_SCALE, offset=DN_OFFSET)
    assert run_area() == 0
    assert float(areas()[0]["clean_ice_km2"]) == 0


def test_without_short_wave_infrared_nothing_is_told_and_that_is_said() -> None:
    write_inputs(Path(), {2020: ice()})
    assert run_area() == 0
    (row,) = areas()
    assert (row["clean_ice_km2"], row["debris_covered_km2"]) == ("", "")
    assert row["surface_method"] == (
        "not available: B04 and B11 are not among the bands, and no debris outlines are given"
    )


def test_debris_outlines_stand_in_for_the_bands() -> None:
    write_inputs(Path(), {2020: ice()})
    left, bottom, _, top = GRID.bounds
    give_debris(box(left, bottom, left + 2100, top))
    assert run_area() == 0
    (row,) = areas()
    debris = (ice() * left_half()).sum() / ice().sum()
    assert float(row["debris_covered_km2"]) == pytest.approx(debris * float(row["glacier_area_km2"]), abs=ROUNDED_KM2)
    assert row["surface_method"] == "debris outlines as given, the same every year"


def test_debris_outlines_that_miss_the_aoi_leave_the_ice_clean() -> None:
    write_inputs(Path(), {2020: ice()})
    give_debris()
    assert run_area() == 0
    assert float(areas()[0]["debris_covered_km2"]) == 0


def test_fresh_snow_hides_debris_and_the_year_says_so() -> None:
    """Snow over everything in 2021: all would look clean, and debris would seem to have gone."""
    write_inputs(Path(), {2020: ice(), 2021: ice()})
    write_scene(2020, left_half() & (ice() > 0))
    write_scene(2021, np.ones(GRID.shape, dtype=bool))
    assert run_area() == 0
    first, second = areas()
    assert first["surface_method"].startswith("B04 / B11")
    assert second["debris_covered_km2"] == ""
    assert second["surface_method"] == "not available: snow on 99 % of the ground off the glaciers hides debris too"


def test_snow_within_the_old_outlines_is_not_snow_off_the_glaciers() -> None:
    """Snow lies on all ice that has gone since the outlines were drawn, and on no ground beside them."""
    write_inputs(Path(), {2020: (ice() > 0) & left_half()}, area={"surface": {"off_glacier_snow_max": 0.0}})
    write_scene(2020, ice() > 0)
    assert run_area() == 0
    assert areas()[0]["surface_method"] == "B04 / B11 of at least 2"


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    write_inputs(Path(), {2020: ice()})
    write_scene(2020, left_half() & (ice() > 0))
    assert run_area() == 0
    whole = areas()
    monkeypatch.setattr("stages.area.map.surface.SUM_ROWS", 7)
    assert run_area() == 0
    assert areas() == whole


def test_a_manifest_that_names_what_is_absent_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(Path(), {2020: ice()})
    Path("data/auxiliary/manifest.json").write_text(json.dumps({"debris": "debris.gpkg"}))
    assert run_area() == 2
    assert "debris.gpkg" in capsys.readouterr().err
