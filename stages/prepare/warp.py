"""A stored raster onto the site's grid: copied where the grids are aligned, resampled where they are not."""

from __future__ import annotations

import math

import numpy as np
from pyproj import CRS
from rasterio.enums import Resampling

from stages.common.geo.grid import Grid
from stages.common.geo.resample import reproject, resample_nearest
from stages.common.types import AnyArray, Float32Array

ALIGNED_WITHIN_PX = 1e-6
"""Pixel corners closer than this are the same; reprojected extents differ by 1e-9 px."""

Offset = tuple[int, int]


def whole_pixel_offset(source: Grid, target: Grid) -> Offset | None:
    """Return (row, column) of the source's upper left pixel in `target`; None where their pixels are not the same."""
    if CRS.from_user_input(source.crs) != CRS.from_user_input(target.crs):
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
    offset = whole_pixel_offset(source, target)
    if offset is None:
        return resample_nearest(pixels, source, target, outside=outside)
    result = np.full(target.shape, outside, dtype=pixels.dtype)
    _paste(pixels, result, offset)
    return result


def to_grid_bilinear(values: Float32Array, source: Grid, target: Grid) -> Float32Array:
    """Return continuous values (H, W) float32 on `target`, NaN without data.

    An exact copy where the grids are aligned. Otherwise bilinear among the pixels with data alone, so that no other
    value bleeds in; a pixel whose nearest source pixel has no data stays without, so that nothing grows into a gap.
    """
    offset = whole_pixel_offset(source, target)
    result = np.full(target.shape, np.nan, dtype=np.float32)
    if offset is not None:
        _paste(values, result, offset)
        return result
    reproject(values, result, source, target, Resampling.bilinear, src_nodata=math.nan, dst_nodata=math.nan)
    at_centre = np.full(target.shape, np.nan, dtype=np.float32)
    reproject(values, at_centre, source, target, Resampling.nearest, src_nodata=math.nan, dst_nodata=math.nan)
    # Where the two round an edge differently, the nearest pixel decides.
    has_data = ~np.isnan(at_centre)
    return np.where(has_data, np.where(np.isnan(result), at_centre, result), np.float32(np.nan))


def _paste(pixels: AnyArray, result: AnyArray, offset: Offset) -> None:
    rows, source_rows = _overlap(offset[0], pixels.shape[0], result.shape[0])
    columns, source_columns = _overlap(offset[1], pixels.shape[1], result.shape[1])
    result[rows, columns] = pixels[source_rows, source_columns]


def _overlap(start: int, length: int, limit: int) -> tuple[slice, slice]:
    """Return the part of a line of `limit` pixels that `length` pixels from `start` on cover, and which these are."""
    first, last = max(start, 0), max(start, min(start + length, limit), 0)
    return slice(first, last), slice(first - start, last - start)
