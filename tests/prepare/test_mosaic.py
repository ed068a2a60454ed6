"""Which acquisition fills which pixel, with known answers."""

from __future__ import annotations

import numpy as np
from affine import Affine

from stages.common.geo.grid import Grid
from stages.prepare.masks import SceneMasks
from stages.prepare.mosaic import assign_pixels

GRID = Grid(crs="EPSG:32644", transform=Affine(10, 0, 350_000, 0, -10, 3_420_000), height=1, width=6)


def masks(has_data: list[int], hidden: list[int]) -> SceneMasks:
    return SceneMasks(has_data=np.array([has_data]) == 1, hidden=np.array([hidden]) == 1, classes=None)


def test_the_first_that_shows_a_pixel_fills_it() -> None:
    """Pixels: both show; the first is cloudy; both are; the first lacks data; both do; the second alone is, cloudy."""
    first = masks([1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0])
    second = masks([1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 0, 1])
    mosaic = assign_pixels([first, second], GRID)
    assert mosaic.owner.tolist() == [[0, 1, -1, 1, -1, -1]]
    assert mosaic.observed.tolist() == [[True, True, False, True, False, False]]
    assert mosaic.cloud.tolist() == [[False, False, True, False, False, True]]
