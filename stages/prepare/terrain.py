"""Elevation and slope as bands beside the reflectance, in its storage.

scene.tif has one scale and offset for all bands, so terrain is scaled to the size of a reflectance: elevation in units
of 10 km (1 DN is a metre), slope in units of 100 degrees (1 DN is a hundredth of a degree).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data, refuse_unreadable
from stages.common.params.prepare import TERRAIN_BANDS
from stages.common.types import Float32Array
from stages.prepare.warp import to_grid_bilinear

ELEVATION_UNIT_M, SLOPE_UNIT_DEG = 1e4, 100.0


def terrain_bands(names: Sequence[str], dem: Path, grid: Grid) -> dict[str, Float32Array]:
    """Return those of `names` that are terrain, ``elevation`` or ``slope``, each (H, W) float32 on `grid`.

    The DEM is read once, and not at all where no name asks for it.

    Raises
    ------
    InputError
        There is no DEM, it is not readable, or it does not cover every pixel of the grid.
    """
    asked = [name for name in names if name in TERRAIN_BANDS]
    if not asked:
        return {}
    elevation_m = elevation_on_grid(dem, grid)
    return {name: _terrain(name, elevation_m, grid.pixel_size_m) for name in asked}


def _terrain(name: str, elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    if name == "elevation":
        return np.asarray(elevation_m / ELEVATION_UNIT_M, dtype=np.float32)
    return np.asarray(slope_deg(elevation_m, pixel_size_m) / SLOPE_UNIT_DEG, dtype=np.float32)


def elevation_on_grid(dem: Path, grid: Grid) -> Float32Array:
    """Return the DEM on `grid`, (H, W) float32 metres, bilinear."""
    with open_raster(dem) as dataset, refuse_unreadable(dem):
        pixels, source, nodata = dataset.read(1), grid_of(dataset), dataset.nodata
    elevation_m = np.where(pixels_with_data(pixels, nodata), pixels, np.nan).astype(np.float32)
    on_grid = to_grid_bilinear(elevation_m, source, grid)
    if (missing := int(np.isnan(on_grid).sum())) > 0:
        raise InputError(
            "the DEM does not cover the whole site",
            where=dem,
            expected=f"elevation at every pixel of {grid}",
            found=f"{missing} px without",
            fix="give a DEM that covers the AOI, its voids filled (Copernicus GLO-30 has none)",
        )
    return on_grid


def slope_deg(elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    """Return the angle of the steepest descent, (H, W) float32, 0-90 degrees, by central differences."""
    south, east = np.gradient(elevation_m, pixel_size_m)
    return np.asarray(np.degrees(np.arctan(np.hypot(south, east))), dtype=np.float32)
