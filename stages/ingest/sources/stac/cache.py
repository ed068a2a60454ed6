"""Layers that have been read from a server, kept until an ingest ends well. A file in the cache is whole or absent."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from rasterio.errors import RasterioIOError

from stages.common.errors import StorageError
from stages.common.geo.raster import grid_of, open_by_driver, profile
from stages.common.geo.readback import checked_raster
from stages.common.run.replace import SCRATCH
from stages.common.scene.scene import Layer

READ_CACHE = SCRATCH / "fetched"
"""Folder of the cache."""


def load_layer(path: Path, name: str, *, nodata: float | None) -> Layer | None:
    """Return a kept layer, or None where there is none that can be read."""
    if not path.exists():
        return None
    try:
        with open_by_driver(path) as dataset:
            return Layer(name=name, pixels=np.asarray(dataset.read(1)), grid=grid_of(dataset), nodata=nodata)
    except RasterioIOError:
        return None


def store_layer(path: Path, layer: Layer) -> Layer:
    """Keep a layer, and return it.

    Raises
    ------
    StorageError
        The file does not read back as it was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    options = profile(layer.grid, count=1, dtype=str(layer.pixels.dtype), nodata=None) | {"compress": "zstd"}
    try:
        with checked_raster(draft, options) as out:
            out.write(layer.pixels, 1)
    except StorageError:
        draft.unlink(missing_ok=True)
        raise
    draft.replace(path)
    return layer


def remove_read_cache() -> None:
    """Remove all layers from the cache."""
    shutil.rmtree(READ_CACHE, ignore_errors=True)
