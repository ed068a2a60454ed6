"""A scene is read in bands of physical values, with NaN where it is not valid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.model.mapping import scene_source


def test_a_band_has_no_value_where_the_scene_is_not_valid(tmp_path: Path) -> None:
    grid = Grid("EPSG:32645", Affine(30, 0, 480_000, 0, -30, 3_100_000), 3, 3)
    pixels = np.arange(1, 10, dtype=np.uint16).reshape(3, 3)
    valid = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0]], dtype=np.uint8)
    write_cog(tmp_path / "scene.tif", pixels, grid, nodata=0, bands=["red"], scale=0.5, offset=-1.0)
    write_cog(tmp_path / "valid.tif", valid, grid, nodata=None)
    bands = list(scene_source(tmp_path / "scene.tif", tmp_path / "valid.tif")(0, 3, 2))
    expected = np.array([[np.nan, 0, 0.5], [1, 1.5, 2], [2.5, 3, np.nan]], dtype=np.float32)
    assert [len(band) for band in bands] == [2, 1]
    assert np.array_equal(np.concatenate(bands)[..., 0], expected, equal_nan=True)


def test_a_strip_of_a_scene_is_read_alone(tmp_path: Path) -> None:
    grid = Grid("EPSG:32645", Affine(30, 0, 480_000, 0, -30, 3_100_000), 2, 5)
    pixels = np.arange(1, 11, dtype=np.uint16).reshape(2, 5)
    write_cog(tmp_path / "scene.tif", pixels, grid, nodata=0, bands=["red"])
    write_cog(tmp_path / "valid.tif", np.ones((2, 5), dtype=np.uint8), grid, nodata=None)
    (band,) = scene_source(tmp_path / "scene.tif", tmp_path / "valid.tif")(3, 2, 8)
    assert band[..., 0].tolist() == [[4, 5], [9, 10]]
