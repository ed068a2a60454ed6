"""The shape of the ground as bands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.params.prepare import TERRAIN_BANDS
from stages.common.run import stage
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from stages.prepare.terrain import (
    CURVATURE_MIN,
    UNITS,
    curvature_per_m,
    elevation_on_grid,
    height_above_valley_m,
    roughness_m,
    slope_deg,
    terrain_bands,
)
from tests.prepare.scenes import BANDS, PX, SIZE, grid, layer, run, store, write_dem


@pytest.fixture
def with_terrain(site: Path) -> Path:
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["prepare"]["bands"] = [BANDS[0], "elevation", BANDS[1], "slope"]
    tiny.write_params(site, content)
    store(("a", [layer(name, 3000) for name in BANDS]))
    return site


def test_a_tilted_plane(with_terrain: Path) -> None:
    write_dem(rise=0.5)
    scene, valid, provenance = run()
    assert valid.all()
    assert provenance["bands"] == ["B02", "elevation", "B11", "slope"]
    expected_m = 5000 + 0.5 * (np.arange(SIZE) + 0.5) * PX
    assert scene[1] - 1000.0 == pytest.approx(np.tile(expected_m, (SIZE, 1)), abs=0.6)
    assert scene[3] == pytest.approx(1000 + 100 * np.degrees(np.arctan(0.5)), abs=2)
    assert (scene[[0, 2]] == 3000).all()


def test_what_is_not_seen_has_no_terrain_either(with_terrain: Path) -> None:
    blue = np.full((SIZE, SIZE), 3000)
    blue[:7] = 0
    store(("a", [layer("B02", blue), layer("B11", 3000)]))
    write_dem()
    scene, valid, _ = run()
    assert (valid[:7] == 0).all()
    assert (scene[:, :7] == 0).all()
    assert (scene[1, 7:] == 6000).all()
    assert (scene[3, 7:] == 1000).all()


@pytest.mark.parametrize(
    ("void", "message"), [(None, "the raster is absent"), (True, "the DEM does not cover the whole site")]
)
def test_a_dem_with_gaps_or_none_is_refused(
    void: bool | None, message: str, with_terrain: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if void:
        write_dem(void=True)
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    assert message in capfd.readouterr().err


def test_a_plane_has_neither_curvature_nor_roughness_and_is_stored_as_zero(with_terrain: Path) -> None:
    content = yaml.safe_load((with_terrain / "params.yaml").read_text())
    content["prepare"]["bands"] = ["B02", "curvature", "roughness", "height_above_valley", "B11"]
    tiny.write_params(with_terrain, content)
    write_dem()
    scene, _, provenance = run()
    assert provenance["bands"][1:4] == ["curvature", "roughness", "height_above_valley"]
    assert (scene[1:4] == 1000).all()


def test_curvature_of_a_bowl_and_of_a_ridge() -> None:
    row, column = (np.mgrid[:81, :81] - 40.0) * 10
    bowl = 0.001 * row**2 + 0.002 * column**2
    inner = np.s_[35:46, 35:46]
    assert curvature_per_m(bowl.astype("float32"), 10)[inner] == pytest.approx(0.006, rel=0.02)
    assert curvature_per_m(-bowl.astype("float32"), 10)[inner] == pytest.approx(-0.006, rel=0.02)


def test_roughness_is_the_scatter_about_a_smooth_surface() -> None:
    row = np.mgrid[:200, :200][0] * 3.0
    noise = np.random.default_rng(0).normal(0, 4, row.shape)
    assert roughness_m((row + noise).astype("float32"), 10)[50:150, 50:150].mean() == pytest.approx(4, rel=0.05)
    assert roughness_m(row.astype("float32"), 10)[50:150, 50:150].max() < 0.1


def test_height_above_the_floor_of_a_valley() -> None:
    """A valley along a column, its floor falling by 5 % and its walls rising by 30 degrees beyond 400 m."""
    row, column = np.mgrid[:400, :400] * 10.0
    away = np.maximum(np.abs(column - 2000) - 400, 0)
    ground = 5000 - 0.05 * row + np.tan(np.radians(30)) * away
    height = height_above_valley_m(ground.astype("float32"), 10)
    assert height[200, 200] == pytest.approx(75, abs=10)  # the floor 1.5 km down the valley
    assert height[200, 290] - height[200, 200] == pytest.approx(500 * np.tan(np.radians(30)), abs=10)


@pytest.mark.parametrize("name", TERRAIN_BANDS)
def test_strips_do_not_show_in_terrain(name: str, tmp_path: Path) -> None:
    """Of a rugged site higher than any strip, to the bit; a DEM of larger pixels."""
    random = np.random.default_rng(7)
    dem = Grid(crs=tiny.CRS, transform=grid(px=3 * PX).transform, height=900, width=40)
    heights = (4000 + np.cumsum(random.normal(0, 12, dem.shape), axis=0)).astype(np.float32)
    write_cog(tmp_path / "dem.tif", heights, dem, nodata=None)
    where = Grid(crs=tiny.CRS, transform=grid(1, 1).transform, height=2500, width=100)
    elevation_m = elevation_on_grid(tmp_path / "dem.tif", where)[:]
    at_once = {
        "elevation": elevation_m,
        "slope": slope_deg(elevation_m, PX),
        "curvature": np.maximum(curvature_per_m(elevation_m, PX), CURVATURE_MIN),
        "roughness": roughness_m(elevation_m, PX),
        "height_above_valley": height_above_valley_m(elevation_m, PX),
    }
    band = terrain_bands(["B02", name], tmp_path / "dem.tif", where)[name]
    np.testing.assert_array_equal(band[:], at_once[name] / np.float32(UNITS[name]))


def test_slope_of_a_cone() -> None:
    row, column = np.mgrid[:41, :41] - 20.0
    slope = slope_deg((-np.hypot(row, column) * 10 * np.tan(np.radians(35))).astype("float32"), 10)
    assert slope[5, 20] == pytest.approx(35, abs=0.5)
    assert slope[10, 30] == pytest.approx(35, abs=0.5)


@pytest.mark.parametrize(
    ("prepare_params", "message"),
    [
        ({"bands": ["elevation", "slope"], "storage": "sentinel2"}, "name no band of a scene"),
        ({"bands": ["B02", "slope"], "storage": "rgb8"}, "need storage sentinel2"),
        ({"bands": ["B04"], "storage": "rgb8", "coregister": {}}, "need storage sentinel2"),
        ({"bands": ["B02"], "storage": "sentinel2", "coregister": {}}, "coregister.band B04 is not among bands"),
    ],
)
def test_parameters_that_do_not_fit(prepare_params: dict[str, Any], message: str) -> None:
    from stages.common.params.prepare import PrepareParams

    with pytest.raises(ValueError, match=message):
        PrepareParams.model_validate(prepare_params)
