"""A stored scene's bands: where they have data, and their reflectance on the site's grid."""

from __future__ import annotations

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import calibration_of, to_physical
from stages.common.scene.scene import Scene
from stages.common.types import AnyArray, BoolArray, Float32Array
from stages.prepare.warp import bilinear, nearest


def read(scene: Scene, name: str) -> tuple[AnyArray, Grid]:
    """A band's DN, (H, W) on its own grid."""
    with open_raster(scene.bands[name].path) as dataset:
        return np.asarray(dataset.read(1)), grid_of(dataset)


def known(scene: Scene, name: str, params: PrepareParams) -> tuple[BoolArray, Grid]:
    """Where a band has data, on its own grid.

    In 8-bit RGB a dark pixel may be 0, the usual nodata, in one band and still be real: there a pixel is unknown
    only where all bands are nodata (GDAL's UNIFIED_SRC_NODATA).
    """
    names = params.imagery_bands if params.storage == "rgb8" else [name]
    dn, source = read(scene, names[0])
    there = pixels_with_data(dn, scene.bands[names[0]].nodata)
    for other in names[1:]:
        there |= pixels_with_data(read(scene, other)[0], scene.bands[other].nodata)
    return there, source


def known_on_grid(scene: Scene, grid: Grid, params: PrepareParams) -> BoolArray:
    """(H, W) bool: every band has data."""
    there = np.ones(grid.shape, dtype=bool)
    for name in params.imagery_bands:
        on_source, source = known(scene, name, params)
        there &= nearest(on_source.astype(np.uint8), source, grid, outside=0) == 1
    return there


def physical(scene: Scene, name: str, params: PrepareParams) -> tuple[Float32Array, Grid]:
    """Reflectance (or 8-bit value) of a band on its own grid, NaN where it has no data."""
    there, source = known(scene, name, params)
    return to_physical(read(scene, name)[0], there, calibration_of(scene, name)), source


def physical_on_grid(scene: Scene, name: str, grid: Grid, params: PrepareParams) -> Float32Array:
    """(H, W) float32: the same on `grid`, bilinear where it has to be resampled."""
    return bilinear(*physical(scene, name, params), grid)
