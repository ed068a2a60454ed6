"""Areas of single pixels, without a plane of them: at 8 bytes each they would be the largest of a scene."""

from __future__ import annotations

import numpy as np

from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.rows import strips
from stages.common.types import BoolArray, Float64Array


class PixelAreas:
    """The areas of a grid's pixels, indexed as a plane of them would be."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def __getitem__(self, pixels: BoolArray) -> Float64Array:
        """Return the area (N,) in km2 of each of `pixels` (H, W), in the order of rows."""
        parts = [pixel_area_km2(self._grid, rows)[pixels[rows]] for rows in strips(self._grid.height)]
        return np.concatenate(parts)
