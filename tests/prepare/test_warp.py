"""Rasters onto the site's grid."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stages.common.geo.grid import Grid
from stages.prepare.warp import to_grid_bilinear, to_grid_nearest, whole_pixel_offset

CRS = "EPSG:32644"
LEFT, TOP, PX = 350_000.0, 3_420_000.0, 10.0


def grid(
    column: float = 0, row: float = 0, *, height: int = 20, width: int = 30, px: float = PX, crs: str = CRS
) -> Grid:
    return Grid(
        crs=crs, transform=Affine(px, 0, LEFT + column * PX, 0, -px, TOP - row * PX), height=height, width=width
    )


TARGET = grid()
DEGREES = Grid(crs="EPSG:4326", transform=Affine(1e-4, 0, 79.428, 0, -9e-5, 30.905), height=60, width=70)
"""Covers all of TARGET."""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(grid(), (0, 0), id="same"),
        pytest.param(grid(-4, 7), (7, -4), id="whole pixels off"),
        pytest.param(grid(1e-8, 0), (0, 0), id="noise of a reprojection"),
        pytest.param(grid(0.5, 0), None, id="half a pixel off"),
        pytest.param(grid(0.001, 0), None, id="a thousandth off"),
        pytest.param(grid(px=20), None, id="other size"),
        pytest.param(grid(px=10.00001), None, id="size that adds up"),
        pytest.param(grid(crs="EPSG:32645"), None, id="other CRS"),
        pytest.param(grid(crs="+proj=utm +zone=44 +datum=WGS84 +units=m"), (0, 0), id="other name, same CRS"),
    ],
)
def test_whole_pixel_offset(source: Grid, expected: tuple[int, int] | None) -> None:
    assert whole_pixel_offset(source, TARGET) == expected


@given(
    row=st.integers(-30, 30), column=st.integers(-40, 40), height=st.integers(1, 35), width=st.integers(1, 45)
)  # fmt: skip
def test_aligned_rasters_are_copied(row: int, column: int, height: int, width: int) -> None:
    """Against the plain definition: look up each target pixel in the source."""
    source = grid(column, row, height=height, width=width)
    values = np.arange(1, height * width + 1, dtype=np.float32).reshape(height, width)

    copied, mask = (
        to_grid_bilinear(values, source, TARGET)[:],
        to_grid_nearest(values.astype("int32"), source, TARGET, outside=-7)[:],
    )

    for r in range(TARGET.height):
        for c in range(TARGET.width):
            inside = 0 <= r - row < height and 0 <= c - column < width
            assert mask[r, c] == (values[r - row, c - column] if inside else -7)
            assert np.isnan(copied[r, c]) if not inside else copied[r, c] == values[r - row, c - column]


@pytest.mark.parametrize(
    "source",
    [grid(-0.5, -0.25, height=40, width=50), grid(-1, -1, height=50, width=70, px=5), DEGREES],
    ids=["shifted", "smaller pixels", "degrees"],
)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_unknown_pixels_do_not_bleed_and_do_not_grow(source: Grid, data: st.DataObject) -> None:
    """A constant stays that constant whatever is unknown around it, and what is known is what is nearest."""
    has_data = data.draw(arrays.arrays(np.bool_, source.shape, elements=st.booleans(), fill=st.booleans()))
    values = np.where(has_data, np.float32(0.25), np.float32(np.nan)).astype(np.float32)

    warped = to_grid_bilinear(values, source, TARGET)[:]
    at_centre = to_grid_nearest(has_data.astype("uint8"), source, TARGET, outside=0)[:] == 1

    assert (~np.isnan(warped) == at_centre).all()
    assert warped[at_centre] == pytest.approx(0.25, abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_rows_are_those_of_the_whole(data: st.DataObject) -> None:
    """Copied, interpolated or warped, of a source that may cover a part of the rows only or none."""
    offset, px, rows = data.draw(st.integers(-30, 30)), data.draw(st.sampled_from([5, 10, 20])), st.integers(0, 20)
    source = grid(data.draw(st.sampled_from([0, 0.5])), offset, height=25, width=40, px=px)
    values = np.random.default_rng(offset + 30).normal(0.2, 0.1, source.shape).astype(np.float32)
    values[values < 0.1] = np.nan
    first, last = sorted((data.draw(rows), data.draw(rows)))
    for on_grid in (
        to_grid_bilinear(values, source, TARGET),
        to_grid_nearest((values > 0.2).astype("uint8"), source, TARGET, outside=7),
    ):
        np.testing.assert_array_equal(on_grid[first:last], on_grid[:][first:last])
        assert (on_grid.shape, on_grid[:].shape, on_grid[:].dtype) == (TARGET.shape, TARGET.shape, on_grid.dtype)


def test_bilinear_of_a_plane_is_the_plane() -> None:
    """Half a pixel off, a linear ramp is met exactly between its nodes."""
    source = grid(-2.5, -2.5, height=30, width=40)
    column, row = np.meshgrid(np.arange(40) + 0.5 - 2.5, np.arange(30) + 0.5 - 2.5)
    warped = to_grid_bilinear((3 * column + 2 * row).astype(np.float32), source, TARGET)[:]
    expected_column, expected_row = np.meshgrid(np.arange(30) + 0.5, np.arange(20) + 0.5)
    assert warped == pytest.approx(3 * expected_column + 2 * expected_row, abs=1e-3)


def test_20_m_bands_are_interpolated_to_10_m() -> None:
    source = grid(-2, -2, height=14, width=18, px=20)
    column = np.tile((np.arange(18) + 0.5) * 2 - 2, (14, 1)).astype(np.float32)  # centre in units of 10 m
    warped = to_grid_bilinear(column, source, TARGET)[:]
    assert warped[5] == pytest.approx(np.arange(30) + 0.5, abs=1e-4)


def test_masks_are_never_interpolated() -> None:
    pixels = np.random.default_rng(0).choice([0, 3, 200], (60, 70)).astype("uint8")
    warped = to_grid_nearest(pixels, DEGREES, TARGET, outside=99)[:]
    assert set(np.unique(warped)) == {0, 3, 200}


def test_outside_a_mask_stands_what_was_said() -> None:
    small = Grid(crs="EPSG:4326", transform=DEGREES.transform, height=25, width=25)
    warped = to_grid_nearest(np.zeros((25, 25), "uint8"), small, TARGET, outside=1)[:]
    assert 0 < (warped == 0).sum() < warped.size
    assert set(np.unique(warped)) == {0, 1}
    assert warped[-1, -1] == 1
