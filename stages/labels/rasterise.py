"""Outlines to rasters: by pixel centre, holes kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt
from shapely.geometry.base import BaseGeometry

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.common.geo.rows import look_up, strips
from stages.common.tables.kinds import IGNORE
from stages.common.types import BoolArray, UInt8Array, UInt16Array

LEAST_ROWS = 128
"""Rows whose distances to an edge are measured at once: they take 50 bytes a pixel."""


def glacier_ids(shapes: Sequence[BaseGeometry], grid: Grid) -> UInt16Array:
    """Return the position (from 1) of the outline that covers each pixel's centre; 0 where none does.

    Where outlines overlap the smaller one wins, so that a small glacier is not swallowed. Holes (nunataks) stay 0.

    Returns
    -------
    (H, W) uint16
    """
    numbered = sorted(enumerate(shapes, start=1), key=lambda pair: (-pair[1].area, pair[0]))
    burn = [(shape, index) for index, shape in numbered]
    return np.asarray(rasterize(burn, out_shape=grid.shape, transform=grid.transform, dtype="uint16"))


def near_points(points: Sequence[tuple[float, float]], grid: Grid, radius_m: float) -> Bits:
    """Return (H, W), True at pixel centres within `radius_m` of any of `points` (x, y in metres)."""
    near = Bits(grid.shape)
    if radius_m <= 0:
        return near
    x = grid.transform.c + (np.arange(grid.width) + 0.5) * grid.pixel_size_m
    y = grid.transform.f - (np.arange(grid.height) + 0.5) * grid.pixel_size_m
    for point_x, point_y in points:
        columns, rows = (np.flatnonzero(np.abs(at) <= radius_m) for at in (x - point_x, y - point_y))
        if len(columns) and len(rows):
            down, across = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            around = np.hypot(x[across] - point_x, y[down, None] - point_y) <= radius_m
            near[down, across] = near[down, across] | around
    return near


def boundary_distance_px(mask: BoolArray) -> np.ndarray:
    """Return the distance (H, W) of each pixel's centre to the edge between glacier and background, in pixels.

    The distance transform measures to the nearest pixel centre of the other side; the edge lies half a pixel
    before it. Divides between touching glaciers are not edges: `mask` is of all glaciers together. Infinite where
    there is no edge at all.
    """
    if mask.all() or not mask.any():
        return np.full(mask.shape, np.inf)
    to_other_side = np.where(mask, distance_transform_edt(mask), distance_transform_edt(~mask))
    return np.asarray(to_other_side - 0.5)


def label_raster(ids: UInt16Array, aoi: Bits, unsure: Bits, *, ignore_px: Sequence[float]) -> UInt8Array:
    """Return training labels (H, W) uint8: 0 background, 1 glacier, 255 to be ignored.

    Ignored are pixels within the band of the nearest glacier, those that are `unsure`, and those outside the AOI.

    Parameters
    ----------
    ids
        (H, W) number of each pixel's glacier, from 1; 0: none.
    ignore_px
        Half width of the band of each glacier, in the order of their numbers.
    """
    half_widths_px, label = np.asarray([ignore_px[0], *ignore_px]), np.empty(ids.shape, dtype=np.uint8)
    for rows in strips(len(ids)):
        label[rows] = ids[rows] > 0
    reach = math.ceil(half_widths_px.max()) + 1
    height = len(ids) if half_widths_px.max() > 0 else 0  # an edge is half a pixel away at least
    for rows in strips(height, max(LEAST_ROWS, 4 * reach)):
        first = max(rows.start - reach, 0)
        part, inside = ids[first : rows.stop + reach], slice(rows.start - first, rows.stop - first)
        if part.all() or not part.any():
            continue
        nearest = nearest_glacier(part)[inside] if len(set(ignore_px)) > 1 else part[inside]
        label[rows][boundary_distance_px(part > 0)[inside] < half_widths_px[nearest]] = IGNORE
    for rows in strips(len(ids)):
        label[rows][unsure[rows] | ~aoi[rows]] = IGNORE
    return label


def nearest_glacier(ids: UInt16Array) -> UInt16Array:
    """Return the number of the glacier nearest to each pixel (H, W)."""
    return look_up(ids, *distance_transform_edt(ids == 0, return_distances=False, return_indices=True))
