"""Clip a raster to the site without resampling it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import rasterio.warp
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.io import DatasetReader
from rasterio.windows import Window

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import LAYER_PIXELS_MAX, grid_of
from stages.common.geo.vectors import EDGE_NODES
from stages.common.types import BoolArray
from stages.ingest.vectors.polygons import LONGITUDES_MAX

MARGIN_PX = 4
"""Pixels kept around the site: bilinear resampling needs one, a changed grid origin a few more."""

AROUND_M, AROUND_SHARE = 1000.0, 1 / 8
"""How far images may reach beyond the site: in metres, and as a share of its size, where their zone is the next one."""


class OutsideError(InputError):
    """A raster and the AOI have no area in common."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """The place of the site."""

    grid: Grid
    """Grid of all years."""
    aoi: Any
    """GeoDataFrame of one polygon, in its own CRS."""


def require_one_side(grid: Grid) -> None:
    """Check that a site, with what is kept around it, lies on one side of the 180th meridian.

    Raises
    ------
    InputError
        It reaches over the meridian, though the AOI itself may not.
    """
    left, bottom, right, top = grid.bounds
    size_m = max(right - left, top - bottom)
    around_m = AROUND_M + AROUND_SHARE * size_m
    edge = shapely.segmentize(shapely.box(left, bottom, right, top).buffer(around_m, join_style="mitre"), size_m / 8)
    longitudes, _ = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(*edge.exterior.xy)
    if max(longitudes) - min(longitudes) > LONGITUDES_MAX:
        raise InputError(
            "the site reaches over the 180th meridian, or over a pole", where="params.yaml: ingest.aoi",
            expected=f"an AOI whose box in {grid.crs} ends at least {around_m:.0f} m before the meridian",
            found=f"a box from {_rounded((left, bottom))} to {_rounded((right, top))}",
            fix="make a site of each side, which ends before it: outlines and catalogues are in degrees",
        )  # fmt: skip


def clip_window(path: Path | str, dataset: DatasetReader, region: Region) -> Window:
    """Return the window of whole pixels of the raster that cover the site's grid and a margin.

    Raises
    ------
    OutsideError
        The AOI and the raster have no area in common.
    """
    crs = dataset.crs
    shape = _aoi_in(region, crs)
    extent = rasterio.warp.transform_bounds(region.grid.crs, crs, *region.grid.bounds, densify_pts=EDGE_NODES)
    if not shape.intersects(shapely.box(*dataset.bounds)) or not np.isfinite(extent).all():
        raise OutsideError(
            "the AOI lies outside the raster",
            where=path,
            expected=f"a raster over {_rounded(shape.bounds)}",
            found=f"{_rounded(dataset.bounds)}, both in {crs.to_string()[:40]}",
            fix="give a scene of this place, or correct ingest.aoi (bounds are left, bottom, right, top)",
        )
    window = _whole_pixels(dataset, extent)
    if window.width * window.height > LAYER_PIXELS_MAX:
        raise InputError(
            "the raster has more pixels over the site than are read at once",
            where=path,
            expected=f"at most {LAYER_PIXELS_MAX:g} px",
            found=f"{window.width} x {window.height} px of {dataset.res[0]:g} in {crs.to_string()[:40]}",
            fix="make its pixels larger (`gdalwarp -tr <size> <size> <file> <new file>`), or the AOI smaller",
        )
    return window


def _whole_pixels(dataset: DatasetReader, extent: tuple[float, float, float, float]) -> Window:
    left, bottom, right, top = extent
    to_pixel = ~dataset.transform
    (first_column, first_row), (last_column, last_row) = to_pixel @ (left, top), to_pixel @ (right, bottom)
    rows = _within(first_row, last_row, dataset.height)
    columns = _within(first_column, last_column, dataset.width)
    return Window.from_slices(rows, columns)


def _within(first: float, last: float, size: int) -> tuple[int, int]:
    """Return the range of whole pixels from `first` to `last` with the margin, as far as the raster reaches."""
    return max(math.floor(first) - MARGIN_PX, 0), min(math.ceil(last) + MARGIN_PX, size)


def clipped_grid(dataset: DatasetReader, window: Window) -> Grid:
    """Return the grid of the window's pixels."""
    whole = grid_of(dataset)
    return Grid(
        crs=whole.crs,
        transform=dataset.transform @ Affine.translation(window.col_off, window.row_off),
        height=int(window.height),
        width=int(window.width),
    )


def inside_aoi(grid: Grid, region: Region) -> BoolArray:
    """Return the pixels of `grid` that the AOI touches, (H, W) bool."""
    burnt = rasterio.features.geometry_mask(
        [_aoi_in(region, grid.crs)], out_shape=grid.shape, transform=grid.transform, all_touched=True, invert=True
    )
    return np.asarray(burnt)


def _aoi_in(region: Region, crs: Any) -> Any:
    left, bottom, right, top = region.aoi.total_bounds
    dense = region.aoi.geometry.segmentize(max(right - left, top - bottom) / (EDGE_NODES - 1))
    return dense.to_crs(crs).iloc[0]


def _rounded(values: Any) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
