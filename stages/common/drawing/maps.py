"""Maps painted pixel by pixel: their size, outlines, and pixels that were not observed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stages.common.display.colours import GREY_DARK, GREY_LIGHT, RGB
from stages.common.geo.grid import Grid
from stages.common.types import AnyArray, BoolArray, UInt8Array

HATCH_PERIOD_PX, HATCH_LINE_PX = 8, 3


@dataclass(frozen=True)
class MapSize:
    """Size at which the rasters of a grid are drawn."""

    width: int
    """Pixels of the picture."""
    height: int
    """Pixels of the picture."""
    pixel_size_m: float
    """Metres on the ground that one pixel of the picture covers."""


def fit_map(grid: Grid, *, max_width: int, max_height: int) -> MapSize:
    """Return the largest size within the bounds (pixels): a fraction of a large grid, a multiple of a small one."""
    factor = min(max_width / grid.width, max_height / grid.height)
    factor = float(math.floor(factor)) if factor > 1 else factor
    width, height = max(1, round(grid.width * factor)), max(1, round(grid.height * factor))
    return MapSize(width=width, height=height, pixel_size_m=grid.pixel_size_m * grid.width / width)


def outline_pixels(mask: AnyArray) -> BoolArray:
    """Return the ice pixels that touch ground, (h, w): where `mask` is 1 and one of the four neighbours is 0.

    The edge of the picture and the edge of unseen ground are not outlines: where the ice ends there is unknown.
    """
    ground = np.pad(mask == 0, 1)
    beside = ground[:-2, 1:-1] | ground[2:, 1:-1] | ground[1:-1, :-2] | ground[1:-1, 2:]
    return np.asarray((mask == 1) & beside)


def paint(picture: UInt8Array, where: BoolArray, colour: RGB) -> UInt8Array:
    """Copy an (h, w, 3) picture with `colour` where the (h, w) mask is true."""
    painted = picture.copy()
    painted[where] = colour
    return painted


def hatch(picture: UInt8Array, where: BoolArray) -> UInt8Array:
    """Copy an (h, w, 3) picture with grey diagonals where the (h, w) mask is true."""
    painted = paint(picture, where, GREY_LIGHT)
    row, column = np.nonzero(where)
    dark = (row + column) % HATCH_PERIOD_PX < HATCH_LINE_PX
    painted[row[dark], column[dark]] = GREY_DARK
    return painted
