"""Turn pixels into areas: speckle, nearest glacier, true km2 by zone. Arrays in, arrays out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from affine import Affine
from scipy import ndimage

from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.types import AnyArray, BoolArray, Float64Array

STRIP_ROWS = 1024
"""Rows worked on at once where an array of doubles is needed: 8 bytes a pixel would be a gigabyte for 120 Mpx."""

EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def strips(height: int) -> Iterator[slice]:
    """Yield consecutive slices of rows that cover `height`."""
    for start in range(0, height, STRIP_ROWS):
        yield slice(start, min(start + STRIP_ROWS, height))


def grid_rows(grid: Grid, rows: slice) -> Grid:
    """Return the part of `grid` within `rows`."""
    moved = grid.transform @ Affine.translation(0, rows.start)
    return Grid(crs=grid.crs, transform=moved, height=rows.stop - rows.start, width=grid.width)


def zonal_area_km2(
    grid: Grid, zones: AnyArray, selections: Mapping[str, BoolArray], *, n_zones: int
) -> dict[str, Float64Array]:
    """Sum the planimetric area of the selected pixels of each zone, from the true area of every pixel.

    Parameters
    ----------
    zones
        (H, W) integers in 0 .. `n_zones` - 1.
    selections
        Name to (H, W) bool.

    Returns
    -------
    Name to (n_zones,) float64, km2.
    """
    sums = {name: np.zeros(n_zones) for name in selections}
    for rows in strips(grid.height):
        weights = pixel_area_km2(grid_rows(grid, rows))
        for name, selected in selections.items():
            chosen = selected[rows]
            sums[name] += np.bincount(zones[rows][chosen], weights=weights[chosen], minlength=n_zones)
    return sums


def grow_zones(zones: AnyArray, *, distance_px: float) -> AnyArray:
    """Give each pixel of zone 0 the nearest zone that is not 0 and lies within `distance_px` between pixel centres.

    The work goes strip by strip, with a halo of that distance; the result is that of the whole array at once.
    """
    halo = math.floor(distance_px)
    result = zones.copy()
    if halo < 1:
        return result
    for rows in strips(len(zones)):
        first = max(rows.start - halo, 0)
        with_halo = zones[first : rows.stop + halo]
        empty = with_halo == 0
        if not empty.any() or empty.all():
            continue
        distance, nearest = ndimage.distance_transform_edt(empty, return_indices=True)
        filled = np.where(distance <= distance_px, with_halo[tuple(nearest)], 0)
        result[rows] = filled[rows.start - first : rows.stop - first]
    return result


def remove_speckle(ice: BoolArray, observed: BoolArray, *, min_pixels: float) -> tuple[BoolArray, int]:
    """Remove components of ice smaller than `min_pixels`; return the (H, W) ice that is left and their number.

    Neighbours count over corners too (8-connected): a narrow tongue that runs diagonally is one piece of ice, which
    4-connectivity would crumble and delete. A component that touches unobserved pixels or the raster's edge stays: it
    may be larger behind the cloud.
    """
    labels, count = ndimage.label(ice, structure=EIGHT_NEIGHBOURS)
    small = np.bincount(labels.ravel(), minlength=count + 1) < min_pixels
    small[0] = False
    beside_unobserved = ndimage.binary_dilation(~observed, structure=EIGHT_NEIGHBOURS, border_value=1)
    small[np.unique(labels[beside_unobserved])] = False
    return ice & ~small[labels], int(small.sum())
