"""A stored raster onto the site's grid: copied where the grids are aligned, resampled where they are not.

Between grids of one CRS NumPy does it (`stages.prepare.parallel_axes`), strip by strip; GDAL's warper where the CRS
differs, the source is turned, or its pixels are the smaller ones: it takes the whole raster at once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS
from rasterio.enums import Resampling

from stages.common.geo.grid import Grid
from stages.common.geo.planes import ByRows, Plane
from stages.common.geo.resample import reproject, resample_nearest
from stages.common.types import AnyArray, Float32Array, Rows
from stages.prepare import parallel_axes
from stages.prepare.parallel_axes import Axes

ALIGNED_WITHIN_PX = 1e-6
"""Pixel corners closer than this are the same; reprojected extents differ by 1e-9 px."""

Offset = tuple[int, int]


def whole_pixel_offset(source: Grid, target: Grid) -> Offset | None:
    """Return (row, column) of the source's upper left pixel in `target`; None where their pixels are not the same."""
    if not _same_crs(source.crs, target.crs):
        return None
    a, b = source.transform, target.transform
    # Sizes may differ by so little only that it does not add up to a pixel corner's tolerance at the far end.
    reach = max(source.width, source.height)
    if abs(a.a / b.a - 1) * reach > ALIGNED_WITHIN_PX or abs(a.e / b.e - 1) * reach > ALIGNED_WITHIN_PX:
        return None
    column, row = (a.c - b.c) / b.a, (a.f - b.f) / b.e
    if abs(column - round(column)) > ALIGNED_WITHIN_PX or abs(row - round(row)) > ALIGNED_WITHIN_PX:
        return None
    return round(row), round(column)


def to_grid_nearest(
    pixels: Rows, source: Grid, target: Grid, *, outside: int, scratch: Path | None = None
) -> ByRows | Plane:
    """Return a class or mask (H, W) on `target`, in its own dtype; `outside` where the source does not reach.

    `scratch` is the folder of the file that holds what GDAL has warped; None: that of the system's temporary files.
    """
    if (offset := whole_pixel_offset(source, target)) is not None:
        return _by_rows(target, pixels.dtype, outside, lambda rows, result: _paste(pixels, result, offset, rows))
    if axes := _axes(source, target):
        return _by_rows(
            target, pixels.dtype, outside, lambda rows, result: parallel_axes.nearest(pixels, axes.within(rows), result)
        )
    return Plane.of(scratch, resample_nearest(pixels[:], source, target, outside=outside))


def to_grid_bilinear(values: Rows, source: Grid, target: Grid, *, scratch: Path | None = None) -> ByRows:
    """Return continuous values (H, W) float32 on `target`, NaN without data; those of the source are read by strips.

    An exact copy where the grids are aligned. Otherwise bilinear among the pixels with data alone, so that no other
    value bleeds in; a pixel whose nearest source pixel has no data stays without, so that nothing grows into a gap.
    `scratch` is as in `to_grid_nearest`.
    """
    dtype, no_data = np.dtype(np.float32), math.nan
    if (offset := whole_pixel_offset(source, target)) is not None:
        return _by_rows(target, dtype, no_data, lambda rows, result: _paste(values, result, offset, rows))
    if axes := _axes(source, target):
        return _by_rows(
            target, dtype, no_data, lambda rows, result: parallel_axes.bilinear(values, axes.within(rows), result)
        )
    return _warp_bilinear(values, source, target, scratch)


def _by_rows(target: Grid, dtype: np.dtype[Any], outside: float, write: Callable[[slice, AnyArray], None]) -> ByRows:
    """Return a raster on `target` whose rows `write` puts into an array that is filled with `outside`."""

    def make(rows: slice) -> AnyArray:
        result = np.full((rows.stop - rows.start, target.width), outside, dtype=dtype)
        write(rows, result)
        return result

    return ByRows(target.shape, dtype, make)


def _axes(source: Grid, target: Grid) -> Axes | None:
    return parallel_axes.axes_between(source, target) if _same_crs(source.crs, target.crs) else None


@functools.cache
def _same_crs(first: str, second: str) -> bool:
    return bool(CRS.from_user_input(first) == CRS.from_user_input(second))


def _warp_bilinear(values: Rows, source: Grid, target: Grid, scratch: Path | None) -> ByRows:
    pixels = values[:]

    def warped(resampling: Resampling) -> Plane:
        result = np.full(target.shape, np.nan, dtype=np.float32)
        reproject(pixels, result, source, target, resampling, src_nodata=math.nan, dst_nodata=math.nan)
        return Plane.of(scratch, result)

    smooth, at_centre = warped(Resampling.bilinear), warped(Resampling.nearest)

    def either(rows: slice) -> Float32Array:
        # Where the two round an edge differently, the nearest pixel decides.
        between, nearest = smooth[rows], at_centre[rows]
        return np.where(np.isnan(nearest) | np.isnan(between), nearest, between)

    return ByRows(target.shape, np.dtype(np.float32), either)


def _paste(pixels: Rows, result: AnyArray, offset: Offset, rows: slice) -> None:
    """Copy those pixels, whose upper left one lies at `offset`, that fall on `rows` of the target, into `result`."""
    down, source_rows = _overlap(offset[0] - rows.start, pixels.shape[0], result.shape[0])
    columns, source_columns = _overlap(offset[1], pixels.shape[1], result.shape[1])
    if down.start < down.stop:
        result[down, columns] = pixels[source_rows][:, source_columns]


def _overlap(start: int, length: int, limit: int) -> tuple[slice, slice]:
    """Return the part of a line of `limit` pixels that `length` pixels from `start` on cover, and which these are."""
    first, last = max(start, 0), max(start, min(start + length, limit), 0)
    return slice(first, last), slice(first - start, last - start)
