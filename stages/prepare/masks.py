"""What hides the surface, on the site's grid."""

from __future__ import annotations

import numpy as np

from stages.common.grid import Grid
from stages.common.raster import grid_of, open_raster
from stages.common.scenes import Scene
from stages.common.types import BoolArray
from stages.prepare.warp import nearest


def cloud_on_grid(scene: Scene, grid: Grid) -> BoolArray:
    """(H, W) bool: cloud, by nearest neighbour. Where a given mask does not reach nothing is known: cloud.

    The one place where masks are read. Class maps (Sentinel-2 SCL) become the same yes or no here.
    """
    if scene.cloud_mask is None:
        return np.zeros(grid.shape, dtype=bool)
    with open_raster(scene.cloud_mask) as dataset:
        mask = nearest((dataset.read(1) != 0).astype("uint8"), grid_of(dataset), grid, outside=1)
    return np.asarray(mask == 1)
