"""Turn pixels into areas: speckle, nearest glacier, true km2 by zone. Arrays in, arrays out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np
from affine import Affine
from scipy import ndimage

from stages.area.map.pieces import Strip, keep_pieces
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import STRIP_ROWS, strips
from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array

SUM_ROWS = 1024
"""Rows whose areas make one term of a sum: another number rounds it otherwise."""

ROWS_AT_ONCE = 128
"""Rows of a strip whose pixels are selected at once."""

KEPT_PIXELS_MAX = 2**22
"""Largest site whose pixel areas are kept from one sum to the next, 32 MB; those of a larger one are made anew."""

TILE_PX, HALOS_A_TILE = 64, 8
"""Least side of the squares in which zones are grown, and how many times the halo it is at least: most squares have no
pixel to fill."""


def grid_rows(grid: Grid, rows: slice) -> Grid:
    """Return the part of `grid` within `rows`."""
    moved = grid.transform @ Affine.translation(0, rows.start)
    return Grid(crs=grid.crs, transform=moved, height=rows.stop - rows.start, width=grid.width)


def pixel_areas_km2(grid: Grid, strip: slice, rows: slice) -> Float64Array:
    """Return the (h, W) area of the pixels within `rows` of a `strip`, which must not be written to."""
    part, inner = grid_rows(grid, strip), slice(rows.start - strip.start, rows.stop - strip.start)
    is_small = grid.height * grid.width <= KEPT_PIXELS_MAX
    return _kept_areas_km2(part)[inner] if is_small else pixel_area_km2(part, inner)


_kept_areas_km2 = lru_cache(maxsize=4)(pixel_area_km2)


def zonal_area_km2(
    grid: Grid, zones: AnyArray | Plane, select: Callable[[slice], Mapping[str, BoolArray]], *, n_zones: int
) -> dict[str, Float64Array]:
    """Sum the planimetric area of the selected pixels of each zone, from the true area of every pixel.

    Parameters
    ----------
    zones
        (H, W) integers in 0 .. `n_zones` - 1.
    select
        Returns, of some rows, name to (h, W) bool: no selection is in memory as a whole.

    Returns
    -------
    Name to (n_zones,) float64, km2.
    """
    sums: dict[str, Float64Array] = {}
    for rows in strips(grid.height, SUM_ROWS):
        parts = dict[str, Float64Array]()
        for first in range(rows.start, rows.stop, ROWS_AT_ONCE):
            some = slice(first, min(first + ROWS_AT_ONCE, rows.stop))
            weight, zone = pixel_areas_km2(grid, rows, some).ravel(), zones[some].ravel()
            for name, selected in select(some).items():
                chosen = np.flatnonzero(selected)
                np.add.at(parts.setdefault(name, np.zeros(n_zones)), zone[chosen], weight[chosen])
        sums = {name: sums[name] + part if name in sums else part for name, part in parts.items()}
    return sums


def grow_zones(zones: AnyArray, *, distance_px: float) -> AnyArray:
    """Give each pixel of zone 0 the nearest zone that is not 0 and lies within `distance_px` between pixel centres.

    The work goes square by square, with a halo of that distance; the result is that of the whole array at once. Any
    distance beyond the array, an infinite one too, reaches all of it.
    """
    halo = math.floor(min(distance_px, math.hypot(*zones.shape)))
    result = zones.copy()
    if halo < 1:
        return result
    side = max(TILE_PX, HALOS_A_TILE * halo)
    for top, left in itertools.product(*(range(0, length, side) for length in zones.shape)):
        row, column = np.nonzero(zones[top : top + side, left : left + side] == 0)
        if not len(row):
            continue
        row, column = row + top, column + left
        first_row, first_column = (max(int(at.min()) - halo, 0) for at in (row, column))
        about = zones[first_row : int(row.max()) + halo + 1, first_column : int(column.max()) + halo + 1]
        if not about.any():
            continue
        nearest = ndimage.distance_transform_edt(about == 0, return_distances=False, return_indices=True)
        at = row - first_row, column - first_column
        from_row, from_column = nearest[0][at], nearest[1][at]
        away = np.sqrt((from_row - at[0]) ** 2.0 + (from_column - at[1]) ** 2.0)
        result[row, column] = np.where(away <= distance_px, about[from_row, from_column], 0)
    return result


def distances_m(area: Bits, pixel_m: float, *, reach_m: float) -> Iterator[tuple[slice, Float32Array]]:
    """Yield strips of rows, and the (h, W) metres from each pixel to the nearest pixel centre that is not in `area`.

    They are 0 for those pixels, and infinite where `reach_m` and a pixel more do not suffice. A strip is worked on
    with a halo of that distance; the result is that of `ndimage.distance_transform_edt` of the whole, whose own
    distances would take 40 bytes a pixel.
    """
    height, width = area.shape
    halo = math.floor(min(reach_m / pixel_m, math.hypot(height, width))) + 1
    for rows in strips(height, max(STRIP_ROWS, halo)):
        first = max(rows.start - halo, 0)
        about = area[first : rows.stop + halo]
        result = np.full((rows.stop - rows.start, width), np.inf, dtype=np.float32)
        if not about.all():
            nearest = ndimage.distance_transform_edt(about, return_distances=False, return_indices=True)
            for some in strips(len(result), ROWS_AT_ONCE):
                at = np.arange(some.start, some.stop) + rows.start - first
                down = (nearest[0, at] - at[:, None]) * pixel_m
                across = (nearest[1, at] - np.arange(width)) * pixel_m
                away = np.sqrt(down * down + across * across)
                result[some] = np.where(away <= halo * pixel_m, away, np.inf)
        yield rows, result


def grown(area: BoolArray, *, corners: bool = False) -> BoolArray:
    """Return the (H, W) pixels of `area` and those beside them: `ndimage.binary_dilation`, many times faster.

    `corners`: whether neighbours count over corners too.
    """
    result = np.empty_like(area)
    for rows in strips(len(area)):
        result[rows] = grown_rows(lambda some: area[some], rows, len(area), corners=corners)
    return result


def grown_rows(area: Strip, rows: slice, height: int, *, corners: bool = False, beyond: bool = False) -> BoolArray:
    """Return the (h, W) part within `rows` of an area of `height` rows that is grown by the pixels beside it.

    Parameters
    ----------
    corners
        Whether neighbours count over corners too.
    beyond
        Whether all that lies beyond the raster belongs to the area.
    """
    above, below = int(rows.start > 0), int(rows.stop < height)
    part = area(slice(rows.start - above, rows.stop + below))
    padded = np.pad(part, ((1 - above, 1 - below), (1, 1)), constant_values=beyond)
    if corners:
        across = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
        return np.asarray(across[:-2] | across[1:-1] | across[2:])
    down, across = padded[:, 1:-1], padded[1:-1]
    return np.asarray(down[:-2] | down[1:-1] | down[2:] | across[:, :-2] | across[:, 2:])


def remove_speckle(ice: Bits, observed: Bits, *, min_pixels: float) -> tuple[Bits, int]:
    """Remove components of ice smaller than `min_pixels`; return the (H, W) ice that is left and their number.

    Neighbours count over corners too (8-connected): a narrow tongue that runs diagonally is one piece of ice, which
    4-connectivity would crumble and delete. A component that touches unobserved pixels or the raster's edge stays: it
    may be larger behind the cloud.
    """

    def beside_unobserved(rows: slice) -> BoolArray:
        return grown_rows(lambda some: ~observed[some], rows, len(observed), corners=True, beyond=True)

    return keep_pieces(
        lambda rows: ice[rows], beside_unobserved, lambda pixels, beside: (pixels >= min_pixels) | beside,
        shape=(ice.shape[0], ice.shape[1]), corners=True,
    )  # fmt: skip
