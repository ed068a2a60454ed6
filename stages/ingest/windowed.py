"""Read the site's window of any raster that GDAL can open, without resampling."""

from __future__ import annotations

import math

import numpy as np

from stages.common.geo.raster import open_by_driver, require_size
from stages.common.scene.scene import Layer
from stages.ingest.region import Region, clip_window, clipped_grid
from stages.ingest.sources.acquisition import DamagedError


def read_layer(
    name: str, source: str, region: Region, *, where: str, nodata: float | None, scale: float = 1.0, offset: float = 0.0
) -> Layer:
    """Read the pixels over the site and a margin.

    Parameters
    ----------
    source
        Name under which GDAL opens the raster; it may be in a zip or on a server.
    where
        Name of the raster in messages.

    Raises
    ------
    rasterio.errors.RasterioIOError
        The raster cannot be opened or read.
    DamagedError
        The raster has no CRS.
    OutsideError
        The AOI and the raster have no area in common.
    """
    with open_by_driver(source) as dataset:
        if dataset.crs is None:
            raise DamagedError(
                "the image has no CRS", where=where, expected="a CRS in the file", found="none",
                fix="name the scene in ingest.choice.leave_out, or get the file again",
            )  # fmt: skip
        require_size(dataset, where, pixels_max=math.inf)
        window = clip_window(where, dataset, region)
        pixels = np.asarray(dataset.read(1, window=window))
        return Layer(
            name=name, pixels=pixels, grid=clipped_grid(dataset, window), nodata=nodata, scale=scale, offset=offset
        )
