"""Between grids whose axes are parallel NumPy gives what GDAL's warper gives.

GDAL does not interpolate along a raster that is one pixel wide; so the rasters here are wider.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rasterio.enums import Resampling

from stages.common.geo.grid import Grid
from stages.common.geo.resample import reproject, resample_nearest
from stages.prepare.parallel_axes import axes_between, bilinear, nearest

LEFT, TOP, PX = 350_000.0, 3_420_000.0, 10.0
TARGET = Grid(crs="EPSG:32644", transform=Affine(PX, 0, LEFT, 0, -PX, TOP), height=40, width=50)

steps_of_a_pixel = st.one_of(st.integers(-20 * 64, 20 * 64), st.integers(-20, 20).map(lambda half: 32 * half))
"""Shifts in steps of 1/64 px, exact in metres; halves, at which a centre lies on an edge, more often."""


@st.composite
def sources(draw: st.DrawFn) -> tuple[np.ndarray, Grid]:
    """A raster of the same or of larger pixels, shifted by parts of a pixel, which may cover a part of TARGET only."""
    px = draw(st.sampled_from([1.0, 1.5, 2.0, 3.0])) * PX
    row, column = (draw(steps_of_a_pixel) / 64 for _ in range(2))
    height, width = (draw(st.integers(2, 60)) for _ in range(2))
    grid = Grid(
        crs=TARGET.crs, transform=Affine(px, 0, LEFT + column * PX, 0, -px, TOP - row * PX), height=height, width=width
    )
    values = np.random.default_rng(draw(st.integers(0, 99))).uniform(-0.1, 1.5, (height, width)).astype(np.float32)
    known = draw(arrays.arrays(np.bool_, (height, width), elements=st.booleans(), fill=st.booleans()))
    return np.where(known, values, np.float32(np.nan)), grid


def interpolated(values: np.ndarray, grid: Grid, target: Grid = TARGET) -> np.ndarray:
    result = np.full(target.shape, np.nan, dtype=np.float32)
    axes = axes_between(grid, target)
    assert axes is not None
    bilinear(values, axes, result)
    return result


@settings(max_examples=150, deadline=None)
@given(source=sources())
def test_nearest_is_gdals(source: tuple[np.ndarray, Grid]) -> None:
    values, grid = source
    classes = np.where(np.isnan(values), 7, values * 4 + 1).astype(np.uint8)
    result = np.full(TARGET.shape, 99, dtype=np.uint8)
    axes = axes_between(grid, TARGET)
    assert axes is not None
    nearest(classes, axes, result)
    np.testing.assert_array_equal(result, resample_nearest(classes, grid, TARGET, outside=99))


@settings(max_examples=150, deadline=None)
@given(source=sources())
def test_bilinear_is_gdals(source: tuple[np.ndarray, Grid]) -> None:
    values, grid = source
    by_gdal = np.full(TARGET.shape, np.nan, dtype=np.float32)
    reproject(values, by_gdal, grid, TARGET, Resampling.bilinear, src_nodata=math.nan, dst_nodata=math.nan)
    at_centre = resample_nearest(values, grid, TARGET, outside=math.nan)
    result = interpolated(values, grid)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(at_centre))
    both = ~np.isnan(result) & ~np.isnan(by_gdal)
    assert np.abs(result - by_gdal)[both].max(initial=0) < 1e-6
    assert not (np.isnan(by_gdal) & ~np.isnan(result)).any()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(Affine.rotation(1), id="turned"),
        pytest.param(Affine.shear(1, 0), id="sheared"),
        pytest.param(Affine.scale(0.9), id="smaller pixels"),
        pytest.param(Affine.scale(1, -1), id="upside down"),
    ],
)
def test_other_grids_are_left_to_gdal(change: Affine) -> None:
    source = replace(TARGET, transform=TARGET.transform @ change)
    assert axes_between(source, TARGET) is None
    assert axes_between(TARGET, TARGET) is not None


def test_what_lies_apart_stays_as_it_was() -> None:
    far = replace(TARGET, transform=TARGET.transform @ Affine.translation(0.5, 40.5))
    assert np.isnan(interpolated(np.ones(TARGET.shape, dtype=np.float32), far)).all()


def test_a_single_pixel_is_spread_over_its_own_place() -> None:
    single = replace(TARGET, transform=TARGET.transform @ Affine.translation(3, 2) @ Affine.scale(3), height=1, width=1)
    result = interpolated(np.array([[0.7]], dtype=np.float32), single)
    assert np.argwhere(~np.isnan(result)).tolist() == [[row, column] for row in (2, 3, 4) for column in (3, 4, 5)]
    assert (result[2:5, 3:6] == np.float32(0.7)).all()
