"""Resampling of pixels from one grid onto another."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio.warp
from rasterio.enums import Resampling

from stages.common.geo.grid import Grid
from stages.common.types import AnyArray

TRANSFORM_ERROR_PX = 0.01
"""Largest error of the approximated coordinate transformation; GDAL's own default is an eighth of a pixel."""


def reproject(
    pixels: AnyArray, result: AnyArray, source: Grid, target: Grid, resampling: Resampling, **options: Any
) -> None:
    """Resample `pixels` (H, W) on `source` into `result` (H, W) on `target`; `options` are those of rasterio."""
    rasterio.warp.reproject(
        pixels,
        result,
        src_transform=source.transform,
        src_crs=source.crs,
        dst_transform=target.transform,
        dst_crs=target.crs,
        resampling=resampling,
        tolerance=TRANSFORM_ERROR_PX,
        warp_mem_limit=64,
        **options,
    )


def resample_nearest(pixels: AnyArray, source: Grid, target: Grid, *, outside: float) -> AnyArray:
    """Return pixels (H, W) on `target` by nearest neighbour, in their own dtype.

    `outside` stands where the source does not reach. NaN is a value as any other: it is copied where it is nearest.
    """
    result = np.full(target.shape, outside, dtype=pixels.dtype)
    # The destination keeps what stands in it where no source pixel falls.
    reproject(pixels, result, source, target, Resampling.nearest, init_dest_nodata=False)
    return result
