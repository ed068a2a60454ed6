"""Areas of single pixels, from strip to strip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stages.common.geo.grid import pixel_area_km2
from stages.common.geo.rows import STRIP_ROWS
from stages.evaluate.pixel_areas import PixelAreas
from tests.evaluate import labelled


def test_areas_are_those_of_the_plane_to_the_last_bit() -> None:
    grid = replace(labelled.GRID, height=2 * STRIP_ROWS + 7, width=30)
    pixels = np.random.default_rng(0).random(grid.shape) < 0.3
    pixels[STRIP_ROWS : 2 * STRIP_ROWS] = False  # a strip without any
    areas = PixelAreas(grid)[pixels]
    assert areas.tolist() == pixel_area_km2(grid)[pixels].tolist() and len(areas) == pixels.sum()


def test_no_pixels_have_no_area() -> None:
    assert PixelAreas(labelled.GRID)[np.zeros(labelled.GRID.shape, dtype=bool)].shape == (0,)
