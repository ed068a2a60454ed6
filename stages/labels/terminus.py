"""Where a glacier ends: around this point most has changed since the outline was drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import rasterio.mask
import rasterio.warp
from pyproj import Transformer
from rasterio.io import DatasetReader


@dataclass(frozen=True)
class Terminus:
    """The point at which a glacier's front stood when its outline was drawn, and where the point is from."""

    xy: tuple[float, float] | None
    """(x, y) in the grid's CRS, metres; None where the point is unknown."""
    origin: Literal["given", "lowest point", "unknown"]


def find_terminus(outline: Any, crs: str, *, dem: DatasetReader | None) -> Terminus:
    """Return RGI 7's terminus point; else (RGI 6 has none) the lowest DEM pixel inside the outline; else unknown.

    Parameters
    ----------
    outline
        Row with ``geometry`` in `crs`, ``termlon`` and ``termlat`` in degrees or null.
    crs
        The grid's CRS, in which the point is returned.
    dem
        Elevation in metres, on any grid; None without a DEM.
    """
    if _is_number(outline.termlon) and _is_number(outline.termlat):
        to_grid = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        return Terminus(to_grid.transform(outline.termlon, outline.termlat), "given")
    lowest = None if dem is None else _lowest_point(outline.geometry, crs, dem)
    return Terminus(lowest, "lowest point" if lowest else "unknown")


def _is_number(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _lowest_point(shape: Any, crs: str, dem: DatasetReader) -> tuple[float, float] | None:
    shape_on_dem = rasterio.warp.transform_geom(crs, dem.crs, shape.__geo_interface__)
    try:
        elevation, transform = rasterio.mask.mask(dem, [shape_on_dem], crop=True, filled=False, indexes=1)
    except ValueError:  # the DEM does not reach this outline
        return None
    if elevation.count() == 0:
        return None
    row, column = np.unravel_index(int(elevation.argmin()), elevation.shape)
    x, y = transform @ (column + 0.5, row + 0.5)
    point = Transformer.from_crs(dem.crs, crs, always_xy=True).transform(x, y)
    return float(point[0]), float(point[1])
