"""The error of the outlines product: a known sum, the same on a coarser grid."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from stages.area.error.fused_error import ALIKE_GLACIER_KM2, ALIKE_WHOLE_KM2, fused_error
from stages.area.error.model_error import ModelError
from stages.common.geo.grid import Grid
from stages.common.tables.kinds import PROBABILITY_NODATA
from tests.area.area_inputs import area_site


def error(pixel_m: float) -> ModelError:
    """Of two glaciers of 1 km2 each, side by side, whose pixels are all at one half."""
    size = round(1000 / pixel_m)
    transform = Affine(pixel_m, 0, 480_000, 0, -pixel_m, 3_090_000)
    grid = Grid(crs="EPSG:32645", transform=transform, height=size, width=2 * size)
    owner = np.repeat([[1, 2]], size, axis=0).repeat(size, axis=1)
    site = area_site(owner, grid=grid)
    return fused_error(site, site.aoi, np.full(grid.shape, 5000, np.uint16))


def test_one_glacier_and_all_have_the_stated_errors() -> None:
    stated = error(10.0)
    assert stated.by_glacier_km2 == pytest.approx([0, *[(ALIKE_GLACIER_KM2 / 4) ** 0.5] * 2], rel=1e-3)
    assert stated.whole_km2 == pytest.approx((ALIKE_WHOLE_KM2 * 2 / 4) ** 0.5, rel=1e-3)


def test_a_coarser_grid_states_the_same_error() -> None:
    assert error(50.0).whole_km2 == pytest.approx(error(10.0).whole_km2, rel=1e-6)


def test_pixels_without_a_probability_count_for_nothing() -> None:
    grid = Grid(crs="EPSG:32645", transform=Affine(10, 0, 480_000, 0, -10, 3_090_000), height=4, width=4)
    site = area_site(np.ones(grid.shape, np.uint16), grid=grid)
    assert fused_error(site, site.aoi, np.full(grid.shape, PROBABILITY_NODATA, np.uint16)).whole_km2 == 0
