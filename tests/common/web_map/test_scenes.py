"""Scenes as pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from stages.common.display.colours import GREY_DARK, GREY_LIGHT
from stages.common.drawing import maps
from stages.common.drawing.maps import MapSize
from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.web_map import scenes
from stages.common.web_map.scenes import YearFiles, false_colour_bands
from tests.damage import spoil_pixels


def disk(radius: float, size: int = 41) -> np.ndarray:
    row, column = np.indices((size, size)) - size // 2
    return (row**2 + column**2 <= radius**2).astype(np.uint8)


@given(st.integers(0, 4))
def test_thickening_grows_by_one_pixel_a_time(times):
    dot = np.zeros((11, 11), dtype=bool)
    dot[5, 5] = True
    assert scenes.thicken(dot, times).sum() == 2 * times * (times + 1) + 1


def test_stretch_is_joint_over_the_years():
    dark, bright = np.linspace(0, 0.4, 1001, dtype=np.float32), np.linspace(0.4, 0.8, 1001, dtype=np.float32)
    joint = scenes.joint_stretch([dark, bright])
    assert joint.low == pytest.approx(0.008, abs=0.002)
    assert joint.high == pytest.approx(0.792, abs=0.002)
    assert joint(dark).max() < joint(bright).max()
    own = scenes.joint_stretch([dark])
    assert own(dark).max() == 255 > joint(dark).max()


def test_stretch_leaves_out_unseen_pixels():
    values = np.array([np.nan, 0.1, 0.2, np.nan], dtype=np.float32)
    assert scenes.joint_stretch([values]).high == pytest.approx(0.2, abs=0.01)
    assert scenes.joint_stretch([np.full(3, np.nan, dtype=np.float32)]) == scenes.Stretch(0.0, 1.0)


def test_brightness_keeps_the_order_of_reflectance():
    brightness = scenes.Stretch(0.1, 0.9)(np.linspace(-0.2, 1.3, 200, dtype=np.float32))
    assert (np.diff(brightness.astype(int)) >= 0).all()
    assert (brightness[0], brightness[-1]) == (0, 255)


@pytest.fixture
def sentinel(tmp_path):
    """A Sentinel-2 scene of 1,200 px: reflectance 0.3 in red, 0.2 in green, 0.1 in blue; the left half unseen."""
    grid = Grid(crs="EPSG:32644", transform=Affine(10, 0, 3e5, 0, -10, 3e6), height=1200, width=1200)
    dn = np.repeat(np.array([2000, 3000, 4000], dtype=np.uint16), 1200 * 1200).reshape(3, 1200, 1200)
    valid = np.ones(grid.shape, dtype=np.uint8)
    valid[:, :600] = 0
    dn[:, :, :600] = 0
    names = {name: tmp_path / f"{name}.tif" for name in ("scene", "valid", "mask", "probability")}
    write_cog(names["scene"], dn, grid, nodata=0, bands=["blue", "green", "red"], scale=1e-4, offset=-0.1)
    write_cog(names["valid"], valid, grid, nodata=None)
    write_cog(names["mask"], np.where(valid == 1, 1, 255).astype(np.uint8), grid, nodata=255)
    stored = np.where(valid == 1, 8000, 65535).astype(np.uint16)
    write_cog(names["probability"], stored, grid, nodata=65535, scale=1e-4)
    return YearFiles(**names, bands=(3, 2, 1), storage="sentinel2")


def test_reflectance_is_read_small_through_scale_and_offset(sentinel):
    map_size = MapSize(width=120, height=120, pixel_size_m=100)
    colour = scenes.read_colour(sentinel, map_size).values()
    assert colour.shape == (120, 120, 3)
    assert colour[60, 100] == pytest.approx([0.3, 0.2, 0.1], abs=1e-6)
    assert np.isnan(colour[:, :60]).all()
    assert (scenes.read_mask(sentinel, map_size)[:, [10, 110]] == [255, 1]).all()
    probability = scenes.read_resized_probability(sentinel, map_size)
    assert np.isnan(probability[:, :60]).all()
    assert probability[60, 100] == pytest.approx(0.8)


def test_unseen_pixels_are_hatched_grey(sentinel):
    map_size = MapSize(width=120, height=120, pixel_size_m=100)
    scene_colours, stretch = scenes.read_colours({2020: sentinel}, map_size)
    picture = scene_colours[2020].natural(stretch)
    hatched = {tuple(colour) for colour in picture[:, :60].reshape(-1, 3).tolist()}
    assert hatched == {GREY_DARK, GREY_LIGHT}


def test_line_on_snow_and_on_rock_has_a_dark_casing():
    for ground in (255, 60):
        picture = np.full((41, 41, 3), ground, dtype=np.uint8)
        line = maps.outline_pixels(disk(10))
        drawn = scenes.draw_outlines(picture, [(line, (255, 176, 0))])
        assert (drawn[line] == (255, 176, 0)).all()
        casing = scenes.thicken(line) & ~line
        assert (drawn[casing] == ground // scenes.CASING_DARKER).all()


def test_spoilt_pixels_are_an_error_of_the_input(tmp_path: Path) -> None:
    grid, path = Grid("EPSG:32644", Affine(30, 0, 350_000, 0, -30, 3_420_000), 120, 120), tmp_path / "scene.tif"
    write_cog(path, np.random.default_rng(1).integers(1, 9999, grid.shape).astype(np.uint16), grid, nodata=0)
    spoil_pixels(path)
    with pytest.raises(InputError, match="not readable as a raster"):
        scenes.read_resized(path, MapSize(width=120, height=120, pixel_size_m=30))


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (["B02", "B03", "B04", "B08", "B11", "B12"], (5, 4, 3)),
        (["B02", "B03", "B04", "B08"], (4, 3, 2)),
        (["B04", "B03", "B02"], None),
    ],
)
def test_the_false_colour_takes_what_the_scene_has(bands: list[str], expected: tuple[int, ...] | None) -> None:
    assert false_colour_bands(bands) == expected
