"""Derive the main flow line of a glacier from its outline and a DEM: a least-cost path (Kienholz et al. 2014).

Kienholz et al. (2014), The Cryosphere 8, 503-519: between the head and the lowest part of the margin, at a cost that
is small far from the margin and low down. The head is the highest point of the margin. The longest of the paths to all
heads, which is their main line of a branched glacier, goes into a side basin of Hintereisferner and comes out 18 %
longer than the length that RGI gives; the path to the highest point differs by 1 to 3 %. Arrays in, arrays out.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

from stages.area.map.pieces import EIGHT_NEIGHBOURS
from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array

MARGIN_WEIGHT, MARGIN_POWER = 1000.0, 4.25
HEIGHT_WEIGHT, HEIGHT_POWER = 3000.0, 3.7
"""f1, a, f2 and b of equation 2 of Kienholz et al. (2014), with the values of OGGM (Maussion et al. 2019)."""

NOSE_HEIGHT_M = 10.0
"""A DEM cannot tell margin that is at most this much higher than the lowest point from that point: SRTM was to keep to
this relative error for 90 % of the heights (Farr et al. 2007, Rev. Geophys. 45, RG2004)."""

SMOOTHING_CELLS = 3.0
"""Standard deviation of the smoothing. A path over a raster turns by 45 degrees at a time and is up to 8 % too long."""


def centreline(outline: BoolArray, elevation_m: Float32Array) -> Float64Array:
    """Return the main flow line, from the head down to the middle of the nose.

    Parameters
    ----------
    outline
        (H, W): one glacier, with at least one pixel; of several parts the largest counts.
    elevation_m
        (H, W) metres, finite within the outline.

    Returns
    -------
    (N, 2) rows and columns, cell centres at whole numbers, smoothed.
    """
    body = np.pad(_largest_part(outline), 1)
    height = np.pad(elevation_m, 1, mode="edge")
    margin = body & ~ndimage.binary_erosion(body)
    front, head = nose(margin, height), _highest(margin, height)
    paths = MCP_Geometric(route_cost(body, height))
    paths.find_costs([front], [head])
    return smoothed(np.array(paths.traceback(head)[::-1], dtype=np.float64)) - 1


def nose(margin: BoolArray, elevation_m: Float32Array) -> tuple[int, int]:
    """Return the cell in the middle of the lowest stretch of the margin, by the way along it.

    The lowest cell itself may stand anywhere along a broad front, and a line to it would cross the front at an angle.
    Other low places, as a side branch may have, are no part of the stretch, however near they are.
    """
    lowest = _highest(margin, -elevation_m)
    stretches, _ = ndimage.label(margin & (elevation_m <= elevation_m[lowest] + NOSE_HEIGHT_M), EIGHT_NEIGHBOURS)
    stretch = stretches == stretches[lowest]
    ends = np.argwhere(stretch & ndimage.binary_dilation(margin & ~stretch, EIGHT_NEIGHBOURS))
    if not len(ends):
        return lowest
    from_ends, _ = MCP_Geometric(np.where(stretch, 1.0, np.inf)).find_costs(ends)
    return _highest(stretch, from_ends)


def route_cost(body: BoolArray, elevation_m: Float32Array) -> Float64Array:
    """Return the (H, W) cost of crossing a cell; infinite off the glacier."""
    depth = ndimage.distance_transform_edt(body)
    lowest, highest = float(elevation_m[body].min()), float(elevation_m[body].max())
    rise = (elevation_m.astype(np.float64) - lowest) / max(highest - lowest, 1.0)
    margin = MARGIN_WEIGHT * (1 - depth / depth.max())
    cost = margin**MARGIN_POWER + (HEIGHT_WEIGHT * np.clip(rise, 0, 1)) ** HEIGHT_POWER
    return np.asarray(np.where(body, 1 + cost, np.inf))


def smoothed(line: Float64Array) -> Float64Array:
    """Smooth the raster's corners out of an (N, 2) line; its ends stay."""
    if len(line) < 3:
        return line
    smooth = ndimage.gaussian_filter1d(line, SMOOTHING_CELLS, axis=0, mode="nearest")
    weight = np.minimum(np.minimum(np.arange(len(line)), np.arange(len(line))[::-1]) / (2 * SMOOTHING_CELLS), 1.0)
    return np.asarray(line + weight[:, None] * (smooth - line))


def _largest_part(outline: BoolArray) -> BoolArray:
    labels, count = ndimage.label(outline, structure=EIGHT_NEIGHBOURS)
    if count < 2:
        return outline
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == int(sizes.argmax()))


def _highest(where: BoolArray, value: AnyArray) -> tuple[int, int]:
    """Return the cell of `where` with the largest value, the first of several."""
    row, column = np.unravel_index(int(np.where(where, value, -np.inf).argmax()), where.shape)
    return int(row), int(column)
