"""Which acquisition fills which pixel, with known answers."""

from __future__ import annotations

import numpy as np
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.prepare.masks import SceneMasks
from stages.prepare.mosaic import assign_pixels, merged_rows

GRID = Grid(crs="EPSG:32644", transform=Affine(10, 0, 350_000, 0, -10, 3_420_000), height=1, width=6)


def bits(pixels: list[int]) -> Bits:
    return Bits.of(np.array([pixels]) == 1)


def masks(has_data: list[int], hidden: list[int]) -> SceneMasks:
    return SceneMasks(has_data=bits(has_data), hidden=bits(hidden), classes=None)


def test_the_first_that_shows_a_pixel_fills_it() -> None:
    """Pixels: both show; the first is cloudy; both are; the first lacks data; both do; the second alone is, cloudy."""
    first = masks([1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0])
    second = masks([1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 0, 1])
    mosaic = assign_pixels([first, second], GRID)
    assert [mask[:].tolist() for mask in mosaic.filled] == [
        [[True, False, False, False, False, False]],
        [[False, True, False, True, False, False]],
    ]
    assert mosaic.observed[:].tolist() == [[True, True, False, True, False, False]]
    assert mosaic.cloud[:].tolist() == [[False, False, True, False, False, True]]


def test_each_band_fills_its_own_pixels() -> None:
    first, second = (np.full((3, 2), value, dtype=np.float32) for value in (1, 2))
    filled = [Bits.of(np.array(mask) == 1) for mask in ([[1, 0], [1, 0], [0, 0]], [[0, 1], [0, 0], [1, 1]])]
    merged = merged_rows([first, second], filled, slice(0, 3), 2)
    np.testing.assert_array_equal(merged, [[1, 2], [1, np.nan], [2, 2]])
    np.testing.assert_array_equal(merged_rows([first, second], filled, slice(1, 3), 2), merged[1:])
    assert np.isnan(merged_rows([], [], slice(0, 3), 2)).all()
