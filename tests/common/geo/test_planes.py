"""Masks as bits and planes in files hold what arrays hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, ByRows, Plane
from stages.common.geo.raster import write_cog

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("width", [1, 7, 8, 13])
def test_bits_behave_as_the_mask(width: int) -> None:
    first, second = (RANDOM.random((600, width)) < 0.4 for _ in range(2))
    a, b = Bits.of(first), Bits.of(second)
    assert (a[:] == first).all()
    assert (a[3:9, 1:5] == first[3:9, 1:5]).all()
    assert ((a & b)[:] == first & second).all()
    assert ((a | ~b)[:] == first | ~second).all()
    assert (a.sum(), (~a).sum(), len(a)) == (first.sum(), (~first).sum(), 600)
    assert (~Bits((5, width))).sum() == 5 * width
    rows, columns = RANDOM.integers(0, 600, 50), RANDOM.integers(0, width, 50)
    assert (a.at(rows, columns) == first[rows, columns]).all()
    assert (np.asarray(a) == first).all()


def test_a_window_of_bits_can_be_set() -> None:
    mask = Bits((6, 11))
    mask[2:4, 3:10] = np.ones((2, 7), dtype=bool)
    assert (mask.sum(), mask[2:4, 3:10].all(), mask.any(), Bits((6, 11)).any()) == (14, True, True, False)


@pytest.mark.parametrize("shape", [(6, 10), (6, 3), (1, 11), (6, 1)])
def test_masks_of_two_shapes_do_not_mix(shape: tuple[int, int]) -> None:
    """Their bytes may be as many, or repeat: 10 and 11 columns are two bytes each."""
    mask, other = Bits((6, 11)), Bits(shape)
    for mix in (lambda: mask & other, lambda: mask | other, lambda: Bits.by_rows((6, 11), lambda _: other[:])):
        with pytest.raises(ValueError, match="mask"):
            mix()


def test_rows_are_made_when_they_are_asked_for(tmp_path: Path) -> None:
    expected = RANDOM.random((1100, 5)).astype(np.float32)
    asked: list[slice] = []

    def make(rows: slice) -> np.ndarray:
        asked.append(rows)
        return expected[rows]

    raster = ByRows(expected.shape, expected.dtype, make)
    assert (raster[3:9] == expected[3:9]).all() and (raster[-2:] == expected[-2:]).all() and len(raster[9:3]) == 0
    assert asked == [slice(3, 9), slice(1098, 1100), slice(9, 9)]
    assert (Plane.of(tmp_path, raster)[:] == expected).all() and (np.asarray(raster) == expected).all()
    assert len(raster) == 1100 and max(rows.stop - rows.start for rows in asked[3:-1]) == 512


def test_a_plane_holds_rows_and_windows(tmp_path: Path) -> None:
    plane, expected = Plane(tmp_path, (700, 9), np.float32), np.zeros((700, 9), dtype=np.float32)
    assert (plane[:] == expected).all()
    for place in (slice(3, 5), (slice(10, 20), slice(2, 4)), slice(0, 0)):
        expected[place] = values = RANDOM.random(expected[place].shape).astype(np.float32)
        plane[place] = values
    assert (plane[:] == expected).all() and plane[:].dtype == np.float32
    assert (plane[3:12, 1:3] == expected[3:12, 1:3]).all()
    assert (np.asarray(plane) == expected).all()
    assert not [*tmp_path.iterdir()], "the file has no name"


def test_a_plane_of_a_band_holds_the_pixels_of_the_file_and_gives_single_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(4).integers(0, 60_000, (1100, 37)).astype(np.uint16)
    grid = Grid(crs="EPSG:32645", transform=Affine(10, 0, 0, 0, -10, 0), height=1100, width=37)
    write_cog(tmp_path / "band.tif", values, grid, nodata=None)
    write_cog(tmp_path / "bands.tif", np.stack([values + 1, values]), grid, nodata=None)
    rows, columns = np.random.default_rng(5).integers(0, [[1100], [37]], (2, 500))
    first, second = Plane.of_band(tmp_path, tmp_path / "band.tif"), Plane.of_band(tmp_path, tmp_path / "bands.tif", 2)
    for plane in (first, second, Plane.of(tmp_path, values)):
        assert plane.dtype == np.uint16
        assert (plane[:] == values).all()
        assert (plane.at(rows, columns) == values[rows, columns]).all()
        assert not plane.at(rows[:0], columns[:0]).size
