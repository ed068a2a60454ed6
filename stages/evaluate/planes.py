"""Planes of a scene that are read by strips of rows, and what is summed over their pixels: no bit depends on strips."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.planes import ByRows
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, Float64Array, IntArray, Rows

ROWS_AT_ONCE = 128
"""Rows whose pixels are worked on at once."""

SUMMED_AT_ONCE = 2**20
"""Numbers that NumPy sums at once; any number of 128 and more gives the same bits."""


def made(like: Rows, dtype: type[np.generic], make: Callable[[slice], AnyArray]) -> ByRows:
    """Return a plane of the shape of another, whose rows are made when they are read."""
    return ByRows((like.shape[0], like.shape[1]), np.dtype(dtype), make)


def pixel_areas_by_rows(grid: Grid) -> ByRows:
    """Return the area of each pixel in km2: at 8 bytes each, an array of them would be the largest of a scene."""
    return ByRows(grid.shape, np.dtype(np.float64), lambda rows: pixel_area_km2(grid, rows))


def chosen(plane: Rows, pixels: Rows) -> Iterator[AnyArray]:
    """Yield the values of the `pixels` of a mask, (N,) a strip, in the order of rows."""
    for rows in strips(plane.shape[0], ROWS_AT_ONCE):
        yield plane[rows][pixels[rows]]


def values_at(plane: Rows, rows: IntArray, columns: IntArray) -> AnyArray:
    """Return the values (N,) of pixels at (N,) `rows`, which ascend, and (N,) `columns`."""
    parts = [plane[:0].ravel()]
    for strip in strips(plane.shape[0], ROWS_AT_ONCE):
        first, stop = np.searchsorted(rows, (strip.start, strip.stop))
        if first < stop:
            parts.append(plane[strip][rows[first:stop] - strip.start, columns[first:stop]])
    return np.concatenate(parts)


def total(plane: Rows, pixels: Rows) -> float:
    """Return the sum of the values of the `pixels` of a mask, with the bits of NumPy's sum of all of them at once."""
    count = sum(int(np.count_nonzero(pixels[rows])) for rows in strips(plane.shape[0], ROWS_AT_ONCE))
    parts, waiting = chosen(plane, pixels), np.empty(0)

    def take(some: int) -> Float64Array:
        nonlocal waiting
        while len(waiting) < some:
            waiting = np.concatenate((waiting, next(parts)))
        taken, waiting = waiting[:some], waiting[some:]
        return taken

    def pairwise(some: int) -> float:
        """Halve as NumPy does, down to what it sums itself."""
        if some <= SUMMED_AT_ONCE:
            return float(take(some).sum())
        half = some // 2 - some // 2 % 8
        return pairwise(half) + pairwise(some - half)

    return pairwise(count)
