"""Shape of the ground as bands beside the reflectance, in its storage: what tells debris on ice from debris on rock.

scene.tif has one scale and offset for all bands, so terrain is scaled to the size of a reflectance (`UNITS`). Slope,
curvature, roughness and height above the valley are those that find debris-covered ice in published work (Paul et al.
2004; Bolch et al. 2007): a glacier's tongue is gentle, hollow or flat, hummocky, and fills the valley floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.planes import ByRows, Plane
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data
from stages.common.geo.rows import STRIP_ROWS, strips
from stages.common.params.prepare import TERRAIN_BANDS
from stages.common.types import Float32Array
from stages.prepare.warp import to_grid_bilinear

UNITS = {
    "elevation": 1e4,  # metres: 1 DN is a metre
    "slope": 100.0,  # degrees: 1 DN is a hundredth of a degree
    "curvature": 0.5,  # per metre: 1 DN is 5e-5, and hollows of up to 1.5 and ridges of up to 0.05 can be stored
    "roughness": 1e3,  # metres: 1 DN is a tenth of a metre
    "height_above_valley": 1e4,  # metres: 1 DN is a metre
}
"""Physical value that is stored as a reflectance of 1."""

CURVATURE_MIN = -0.05
"""Sharper ridges count as this, per metre: the storage holds no less."""

SMOOTHING_M = 60.0
"""Standard deviation of the smoothing that curvature and roughness need: the facets of a 30 m DEM are no relief."""

VALLEY_RADIUS_M = 1500.0
"""The valley floor is the lowest ground so near: large Himalayan tongues are 1 to 2 km wide."""


def terrain_bands(names: Sequence[str], dem: Path, grid: Grid, *, scratch: Path | None = None) -> dict[str, Plane]:
    """Return those of `names` that are in `TERRAIN_BANDS`, each (H, W) float32 on `grid`, in `UNITS`.

    The DEM is read once, and not at all where no name asks for it. `scratch` is the folder of files without a name;
    None: that of the system's temporary files.

    Raises
    ------
    InputError
        There is no DEM, it is not readable, or it does not cover every pixel of the grid.
    """
    asked = [name for name in names if name in TERRAIN_BANDS]
    if not asked:
        return {}
    elevation_m = elevation_on_grid(dem, grid, scratch=scratch)
    return {name: _terrain(name, elevation_m, grid.pixel_size_m, scratch) for name in asked}


def _terrain(name: str, elevation_m: Plane, pixel_size_m: float, scratch: Path | None) -> Plane:
    """Return a band, made strip by strip with the rows around it that it looks at: the values of the whole at once."""
    band, halo = Plane(scratch, elevation_m.shape, np.float32), _reach_px(name, pixel_size_m)
    for rows in strips(len(elevation_m), max(STRIP_ROWS, 3 * halo)):
        near = slice(max(rows.start - halo, 0), rows.stop + halo)
        values = _values(name, elevation_m[near], pixel_size_m)[rows.start - near.start :]
        band[rows] = values[: rows.stop - rows.start] / UNITS[name]
    return band


def _reach_px(name: str, pixel_size_m: float) -> int:
    """Return how far the farthest pixel lies that a pixel of a band depends on."""
    smoothing_px = int(4 * SMOOTHING_M / pixel_size_m + 0.5)  # SciPy cuts the filter at four standard deviations
    reach = {
        "elevation": 0,
        "slope": 1,
        "curvature": smoothing_px + 1,
        "roughness": 2 * smoothing_px,
        "height_above_valley": 2 * _valley_radius_px(pixel_size_m),
    }
    return reach[name]


def _valley_radius_px(pixel_size_m: float) -> int:
    return max(round(VALLEY_RADIUS_M / pixel_size_m), 1)


def _values(name: str, elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    match name:
        case "slope":
            return slope_deg(elevation_m, pixel_size_m)
        case "curvature":
            return np.maximum(curvature_per_m(elevation_m, pixel_size_m), CURVATURE_MIN)
        case "roughness":
            return roughness_m(elevation_m, pixel_size_m)
        case "height_above_valley":
            return height_above_valley_m(elevation_m, pixel_size_m)
        case _:
            return elevation_m


def elevation_on_grid(dem: Path, grid: Grid, *, scratch: Path | None = None) -> Plane:
    """Return the DEM on `grid`, (H, W) float32 metres, bilinear; `scratch` is as in `terrain_bands`."""
    with open_raster(dem) as dataset:
        source, nodata = grid_of(dataset), dataset.nodata
    stored = Plane.of_band(scratch, dem)

    def metres(rows: slice) -> Float32Array:
        pixels = stored[rows]
        return np.where(pixels_with_data(pixels, nodata), pixels, np.nan).astype(np.float32)

    elevation_m = ByRows(stored.shape, np.dtype(np.float32), metres)
    on_grid = Plane.of(scratch, to_grid_bilinear(elevation_m, source, grid, scratch=scratch))
    if (missing := sum(int(np.isnan(on_grid[rows]).sum()) for rows in strips(grid.height))) > 0:
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


def curvature_per_m(elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    """Return the Laplacian of the smoothed height, (H, W) float32 per metre: above 0 in hollows, below on ridges."""
    smooth = ndimage.gaussian_filter(elevation_m.astype(np.float64), SMOOTHING_M / pixel_size_m, mode="nearest")
    return np.asarray(ndimage.laplace(smooth, mode="nearest") / pixel_size_m**2, dtype=np.float32)


def roughness_m(elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    """Return the standard deviation of the heights about the smoothed ones, (H, W) float32 metres."""
    sigma_px = SMOOTHING_M / pixel_size_m
    rest = elevation_m - ndimage.gaussian_filter(elevation_m, sigma_px, mode="nearest")
    return np.asarray(np.sqrt(ndimage.gaussian_filter(rest**2, sigma_px, mode="nearest")), dtype=np.float32)


def height_above_valley_m(elevation_m: Float32Array, pixel_size_m: float) -> Float32Array:
    """Return the height above the lowest ground within `VALLEY_RADIUS_M` in east and north, (H, W) float32 metres.

    The floor is smoothed by the same distance, so that it has no steps; where it then lies above the ground, 0.
    """
    radius_px = _valley_radius_px(pixel_size_m)
    floor = ndimage.minimum_filter(elevation_m, 2 * radius_px + 1, mode="nearest")
    floor = ndimage.uniform_filter(floor, 2 * radius_px + 1, mode="nearest")
    return np.asarray(np.maximum(elevation_m - floor, 0), dtype=np.float32)
