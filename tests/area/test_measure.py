from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
from affine import Affine
from pyproj import Geod
from shapely.affinity import translate
from shapely.geometry import box
from shapely.geometry.polygon import orient

from sandbox import tiny
from sandbox.onnx_bytes import smallest_model
from stages.area.map.outlines import LAYER
from stages.common.geo.grid import Grid
from stages.common.tables.area import AreaMetrics, GlacierTrendRow
from stages.common.tables.change import ChangeAreaRow, ChangeTrend
from stages.common.tables.kinds import RGI7_COLUMNS
from tests.area.area_inputs import GRID, PIXEL_KM2, burn, run_area, write_inputs
from tests.area.area_outputs import OUT, areas, clouded, gates, ice_of, rows, series, trend


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def change_trend() -> ChangeTrend:
    return ChangeTrend.model_validate_json((OUT / "change_trend.json").read_text())


def digests() -> dict[str, str]:
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in sorted(OUT.iterdir())}


def test_one_year_gives_its_area_and_says_that_a_trend_needs_more() -> None:
    write_inputs(Path(), {2020: ice_of()})
    assert run_area() == 0
    (row,) = areas()
    assert row.glacier_area_km2 == pytest.approx(ice_of().sum() * PIXEL_KM2, rel=1e-3)
    assert row.common_area_km2 == row.glacier_area_km2
    assert row.area_low_km2 < row.glacier_area_km2 < row.area_high_km2
    assert (row.valid_fraction, row.unseen_km2, row.scene_ids, row.date) == (1, 0, "scene-2020", "2020-10-15")
    assert row.model_md5 == hashlib.md5(smallest_model()).hexdigest()
    assert "a trend needs at least three years" in trend().statement
    assert all(finding["passed"] for finding in gates().values()), gates()
    metrics = AreaMetrics.model_validate_json(Path("metrics/area.json").read_text())
    assert (metrics.n_years, metrics.change_pct, metrics.gates_failed) == (1, None, 0)


def test_every_line_of_the_log_says_which_product_it_is_of(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(Path(), {2020 + year: ice_of() for year in range(3)})
    assert run_area() == 0
    lines = capsys.readouterr().err.splitlines()
    assert sum("2021: " in line and "from the images alone" in line for line in lines) == 1
    for words in ("Common area, from the images alone: No change", "Change, from the images alone: No change"):
        assert sum(words in line for line in lines) == 1, lines


def test_areas_near_the_south_pole_are_those_on_the_ellipsoid() -> None:
    """EPSG:3031 is true at 71 S alone: at 69.7 S a pixel shows 0.8 % less ground than its sides say."""
    left, top = -2_000_000, 1_000_000
    grid = Grid(crs="EPSG:3031", transform=Affine(30, 0, left, 0, -30, top), height=GRID.height, width=GRID.width)
    shapes = [translate(shape, left - tiny.LEFT, top - tiny.TOP) for shape in tiny.outlines()]
    ice = (burn(shapes, grid) > 0).astype(np.uint8)
    write_inputs(Path(), {2020: ice}, prior=shapes, grid=grid)
    assert run_area() == 0
    degrees = geopandas.GeoSeries(shapes, crs=grid.crs).to_crs("EPSG:4326")
    true_km2 = sum(abs(Geod(ellps="WGS84").geometry_area_perimeter(orient(shape))[0]) for shape in degrees) / 1e6
    flat_km2 = sum(shape.area for shape in shapes) / 1e6
    pixels_km2 = ice.sum() * PIXEL_KM2
    assert areas()[0].glacier_area_km2 == pytest.approx(true_km2 * pixels_km2 / flat_km2, rel=2e-4)
    assert flat_km2 / true_km2 > 1.005


def test_cloud_is_never_loss() -> None:
    """The same ice every year, but a tenth of it behind a cloud in 2021, and half in 2022."""
    ice = ice_of()
    observed = {2021: clouded(slice(0, 50)), 2022: clouded(slice(0, 65))}
    write_inputs(Path(), {2020: ice, 2021: ice, 2022: ice}, observed=observed, area={"common_valid_fraction_min": 0.65})
    assert run_area() == 0
    first, second, third = areas()
    assert second.glacier_area_km2 < first.glacier_area_km2
    assert second.glacier_area_km2 + second.unseen_km2 == pytest.approx(first.glacier_area_km2, abs=2e-4)
    assert first.common_area_km2 == second.common_area_km2 == pytest.approx(second.glacier_area_km2)
    assert third.common_area_km2 is None
    assert (trend().excluded_years, trend().years) == ([2022], [2020, 2021])
    assert "2022: left out" in trend().statement
    assert trend().common_pixels_fraction == pytest.approx(110 / 160)
    assert gates()["annual_change"]["passed"]
    assert not gates()["valid_fraction"]["passed"]


def test_a_shrinking_series_is_a_loss_with_its_detectable_change() -> None:
    shrinks = {2016 + index: 1 - 0.01 * index for index in range(6)}
    write_inputs(Path(), {year: ice_of(shrink) for year, shrink in shrinks.items()})
    assert run_area() == 0
    trend_document = trend()
    assert trend_document.slope_km2_per_year is not None and trend_document.slope_km2_per_year < 0
    assert trend_document.slope_pct_per_year == pytest.approx(-2, abs=0.3)
    assert trend_document.mann_kendall_p == pytest.approx(2 / 720)
    assert trend_document.minimum_detectable_km2_per_year is not None
    metrics = AreaMetrics.model_validate_json(Path("metrics/area.json").read_text())
    assert metrics.change_pct == pytest.approx(100 * (0.95**2 - 1), abs=0.5)
    assert list(metrics.area_by_year_km2) == [str(year) for year in shrinks]


def test_the_change_product_is_a_table_of_its_own_and_leaves_out_a_snowy_last_year() -> None:
    shrinking = {2016 + number: ice_of(1.0 - 0.02 * number) for number in range(6)}
    snow = np.zeros(GRID.shape, dtype=np.uint8)
    snow[-20:] = 1
    write_inputs(Path(), shrinking | {2022: ice_of(0.88) | snow}, area={"assign_distance_m": 60})
    assert run_area() == 0
    table, product = rows("change_area_by_year.csv", ChangeAreaRow), change_trend()
    assert {row.product for row in table} == {product.product} == {"change"}
    assert product.flagged_years == [2022]
    assert [row.used for row in table] == [True] * 6 + [False]
    assert product.detectable
    assert (product.slope_km2_per_year or 0) < 0
    summary = AreaMetrics.model_validate_json(Path("metrics/area.json").read_text()).change
    assert summary is not None
    assert summary.slope_km2_per_year == product.slope_km2_per_year
    assert summary.true_slope_km2_per_year is None, "nothing is true of a real site"


def test_glaciers_sum_to_the_whole_and_nothing_is_clipped_to_the_old_outline() -> None:
    """Ice grown past the outline counts to its glacier, ice far from any to none; speckle goes."""
    ice = ice_of(1.15)
    ice[8:20, 140:155] = 1
    ice[150:152, 10:12] = 1
    write_inputs(Path(), {2020: ice}, area={"assign_distance_m": 400.0})
    assert run_area() == 0
    (whole,) = areas()
    parts = {row.rgi_id: row for row in series().glaciers}
    assert list(parts) == ["RGI60-15.00001", "RGI60-15.00002", "unassigned"]
    assert sum(row.area_km2 for row in parts.values()) == pytest.approx(whole.glacier_area_km2, abs=2e-4)
    assert parts["unassigned"].area_km2 == pytest.approx(12 * 15 * PIXEL_KM2, rel=1e-3)
    assert parts["unassigned"].outline_area_km2 == 0
    large = parts["RGI60-15.00001"]
    assert (large.glac_name, parts["RGI60-15.00002"].glac_name) == ("Large", None)
    assert large.outline_area_km2 == pytest.approx(tiny.outlines()[0].area / 1e6, rel=0.01)
    assert large.area_km2 > 1.1 * large.outline_area_km2
    removed = json.loads(Path("metrics/area.json").read_text())["speckle_removed_km2"]
    assert removed == pytest.approx(4 * PIXEL_KM2, rel=1e-3)


def test_outlines_are_multipolygons_with_holes_that_measure_what_the_table_says() -> None:
    write_inputs(Path(), {2020: ice_of()})
    assert run_area() == 0
    frame = geopandas.read_file(OUT / "outlines_2020.gpkg", layer=LAYER)
    assert set(RGI7_COLUMNS) < set(frame.columns)
    assert frame.crs == GRID.crs
    assert list(frame.geom_type) == ["MultiPolygon"] * 2
    assert frame.geometry.is_valid.all()
    assert len(frame.geometry[0].geoms[0].interiors) == 1
    scale = areas()[0].glacier_area_km2 / (ice_of().sum() * PIXEL_KM2)
    for shape, row in zip(frame.geometry, series().glaciers, strict=False):
        assert shape.area / 1e6 * scale == pytest.approx(row.area_km2, rel=1e-4)
    first = frame.iloc[0]
    assert (first.rgi_id, first.glac_name, first.src_date) == ("RGI60-15.00001", "Large", "2020-10-15")
    assert (first.termlon, first.zmin_m) == pytest.approx((79.1, 4000))
    assert np.isnan(first.zmax_m)
    center = frame.geometry.centroid.to_crs("EPSG:4326")[0]
    assert (first.cenlon, first.cenlat) == pytest.approx((center.x, center.y), abs=1e-6)
    assert first.area_km2 == pytest.approx(series().glaciers[0].area_km2, abs=1e-4)


def test_only_the_aoi_counts() -> None:
    left, bottom, _, top = GRID.bounds
    half = box(left, bottom, left + 70 * 30 + 14, top)  # the centre of column 70 lies beyond it
    write_inputs(Path(), {2020: ice_of()}, aoi=half)
    assert run_area() == 0
    assert areas()[0].glacier_area_km2 == pytest.approx(ice_of()[:, :70].sum() * PIXEL_KM2, rel=1e-3)
    assert geopandas.read_file(OUT / "outlines_2020.gpkg").total_bounds[2] == left + 70 * 30


def test_each_glacier_has_its_trend() -> None:
    """The large glacier shrinks by 2 % a year; the small one stays."""
    small = tiny.outlines()[1]
    years = range(2016, 2022)
    shrunk = {year: tiny.outlines(shrink=1 - 0.01 * (year - 2016))[0] for year in years}
    ice = {year: (burn([shape, small]) > 0).astype(np.uint8) for year, shape in shrunk.items()}
    write_inputs(Path(), ice, area={"boundary_buffer_px": 0.1})
    assert run_area() == 0
    first, second = rows("trend_by_glacier.csv", GlacierTrendRow)
    assert (first.rgi_id, second.rgi_id) == ("RGI60-15.00001", "RGI60-15.00002")
    assert first.slope_pct_per_year == pytest.approx(-2, abs=0.3)
    assert first.detectable
    assert first.p_adjusted == pytest.approx(2 * 2 / 720, rel=0.01)
    assert (second.slope_km2_per_year, second.mann_kendall_p, second.detectable) == (0, 1, False)
    trend_document = trend()
    assert (trend_document.glaciers_tested, trend_document.glaciers_detectable) == (2, 1)
    assert trend_document.glaciers_note == "2 of 2 glaciers tested"
    change_km2 = areas()[-1].common_area_km2 - areas()[0].common_area_km2
    assert trend_document.change_km2 == pytest.approx(change_km2, abs=1e-8)


def test_a_scene_without_a_day_is_said_to_stand_at_mid_year() -> None:
    write_inputs(Path(), {2020: ice_of(), 2021: ice_of()}, dates={2020: None})
    assert run_area() == 0
    assert areas()[0].date is None
    assert "2020: day unknown, the middle of the year is assumed" in trend().statement


def test_same_inputs_same_bytes_in_a_fresh_process() -> None:
    write_inputs(Path(), {2020: ice_of(), 2021: ice_of(0.98)})
    assert run_area() == 0
    first = digests()
    code = "from tests.area.area_inputs import run_area; raise SystemExit(run_area())"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(tiny.ROOT), "TZ": "Asia/Kolkata"})
    assert digests() == first
