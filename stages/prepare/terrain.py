"""Elevation and slope as bands beside the reflectance, in its storage.

scene.tif has one scale and offset for all bands, so terrain is scaled to the size of a reflectance: elevation in units
of 10 km (a DN a metre), slope in units of 100 degrees (a DN a hundredth of a degree).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data
from stages.common.types import Float32Array
from stages.prepare.warp import bilinear

ELEVATION_UNIT_M, SLOPE_UNIT_DEG = 1e4, 100.0


def terrain(name: str, dem: Path, grid: Grid) -> Float32Array:
    """(H, W) float32: ``elevation`` or ``slope`` on `grid`.

    Raises
    ------
    InputError
        There is no DEM, or it leaves a pixel of the grid out.
    """
    elevation_m = elevation_on_grid(dem, grid)
    if name == "elevation":
        return np.asarray(elevation_m / ELEVATION_UNIT_M, dtype=np.float32)
    return np.asarray(slope_deg(elevation_m, grid.pixel_size_m) / SLOPE_UNIT_DEG, dtype=np.float32)


def elevation_on_grid(dem: Path, grid: Grid) -> Float32Array:
    """(H, W) float32 metres, bilinear."""
    with open_raster(dem) as dataset:
        pixels, source, nodata = dataset.read(1), grid_of(dataset), dataset.nodata
    known = np.where(pixels_with_data(pixels, nodata), pixels, np.nan).astype(np.float32)
    on_grid = bilinear(known, source, grid)
    if (missing := int(np.isnan(on_grid).sum())) > 0:
        raise InputError(
            "the DEM leaves a part of the site out",
            where=dem,
            expected=f"elevation at every pixel of {grid}",
            found=f"{missing} px without",
            fix="give a DEM that covers the AOI, its voids filled (Copernicus GLO-30 has none)",
        )
    return on_grid


def slope_deg(elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    """(H, W) float32, 0-90: angle of the steepest descent, by central differences."""
    south, east = np.gradient(elevation_m, pixel_size_m)
    return np.asarray(np.degrees(np.arctan(np.hypot(south, east))), dtype=np.float32)
