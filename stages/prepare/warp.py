"""A stored raster onto the site's grid: copied where the grids are aligned, resampled where they are not.

Between grids of one CRS NumPy does it (`stages.prepare.parallel_axes`); GDAL's warper where the CRS differs, the source
is turned, or its pixels are the smaller ones.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from pyproj import CRS
from rasterio.enums import Resampling

from stages.common.geo.grid import Grid
from stages.common.geo.resample import reproject, resample_nearest
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, Float32Array
from stages.prepare import parallel_axes
from stages.prepare.parallel_axes import Axes, Rows

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


def to_grid_nearest(pixels: AnyArray, source: Grid, target: Grid, *, outside: int) -> AnyArray:
    """Return a class or mask (H, W) on `target`, in its own dtype; `outside` where the source does not reach."""
    result = np.full(target.shape, outside, dtype=pixels.dtype)
    if (offset := whole_pixel_offset(source, target)) is not None:
        _paste(pixels, result, offset)
    elif axes := _axes(source, target):
        parallel_axes.nearest(pixels, axes, result)
    else:
        return resample_nearest(pixels, source, target, outside=outside)
    return result


def to_grid_bilinear(values: Rows, source: Grid, target: Grid) -> Float32Array:
    """Return continuous values (H, W) float32 on `target`, NaN without data; those of the source are read by strips.

    An exact copy where the grids are aligned. Otherwise bilinear among the pixels with data alone, so that no other
    value bleeds in; a pixel whose nearest source pixel has no data stays without, so that nothing grows into a gap.
    """
    result = np.full(target.shape, np.nan, dtype=np.float32)
    if (offset := whole_pixel_offset(source, target)) is not None:
        _paste(values, result, offset)
    elif axes := _axes(source, target):
        parallel_axes.bilinear(values, axes, result)
    else:
        return _warp_bilinear(values[:], source, target)
    return result


def _axes(source: Grid, target: Grid) -> Axes | None:
    return parallel_axes.axes_between(source, target) if _same_crs(source.crs, target.crs) else None


@functools.cache
def _same_crs(first: str, second: str) -> bool:
    return bool(CRS.from_user_input(first) == CRS.from_user_input(second))


def _warp_bilinear(values: Float32Array, source: Grid, target: Grid) -> Float32Array:
    result, at_centre = (np.full(target.shape, np.nan, dtype=np.float32) for _ in range(2))
    reproject(values, result, source, target, Resampling.bilinear, src_nodata=math.nan, dst_nodata=math.nan)
    reproject(values, at_centre, source, target, Resampling.nearest, src_nodata=math.nan, dst_nodata=math.nan)
    # Where the two round an edge differently, the nearest pixel decides.
    has_data = ~np.isnan(at_centre)
    return np.where(has_data, np.where(np.isnan(result), at_centre, result), np.float32(np.nan))


def _paste(pixels: AnyArray | Rows, result: AnyArray, offset: Offset) -> None:
    rows, source_rows = _overlap(offset[0], pixels.shape[0], result.shape[0])
    columns, source_columns = _overlap(offset[1], pixels.shape[1], result.shape[1])
    for some in strips(rows.stop - rows.start):
        down, of_source = (slice(first + some.start, first + some.stop) for first in (rows.start, source_rows.start))
        result[down, columns] = pixels[of_source, source_columns]


def _overlap(start: int, length: int, limit: int) -> tuple[slice, slice]:
    """Return the part of a line of `limit` pixels that `length` pixels from `start` on cover, and which these are."""
    first, last = max(start, 0), max(start, min(start + length, limit), 0)
    return slice(first, last), slice(first - start, last - start)
