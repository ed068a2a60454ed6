"""The main flow line of a glacier from its outline and a DEM: a least-cost path (Kienholz et al. 2014).

Kienholz et al. (2014), The Cryosphere 8, 503-519: between the head and the lowest part of the margin, at a cost that
is small far from the margin and low down. The head is the highest point of the margin. The longest of the paths to all
heads, which is their main line of a branched glacier, goes into a side basin of Hintereisferner and comes out 18 %
longer than the length that RGI gives; the path to the highest point differs by 1 to 3 %. Arrays in, arrays out.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array

MARGIN_WEIGHT, MARGIN_POWER = 1000.0, 4.25
HEIGHT_WEIGHT, HEIGHT_POWER = 3000.0, 3.7
"""f1, a, f2 and b of equation 2 of Kienholz et al. (2014), with the values of OGGM (Maussion et al. 2019)."""

NOSE_M, NOSE_HEIGHT_M = 500.0, 20.0
"""The margin this near to its lowest point, and at most so much higher, is the glacier's nose."""

SMOOTHING_CELLS = 3.0
"""Standard deviation. A path over a raster turns by 45 degrees and is up to 8 % too long, ice is not."""


def centreline(outline: BoolArray, elevation_m: Float32Array, *, cell_m: float) -> Float64Array:
    """Main flow line, from the head down to the middle of the nose.

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
    terminus, head = nose(margin, height, cell_m=cell_m), _highest(margin, height)
    paths = MCP_Geometric(route_cost(body, height))
    paths.find_costs([terminus], [head])
    return smoothed(np.array(paths.traceback(head)[::-1], dtype=np.float64)) - 1


def with_straight_end(path: Float64Array, outline: BoolArray, *, lower_cells: float) -> Float64Array:
    """The path with its last piece, of half the tongue's width, drawn straight on as the whole width above it runs.

    A path keeps beside the middle where height costs more than the margin, and veers to its end over the last piece.
    There it would cross the front at an angle and overstate a retreat.

    Parameters
    ----------
    path
        (N, 2) as `centreline` gives it.
    outline
        (H, W): the glacier.
    lower_cells
        Length of the lower end that the tongue's width is taken from.

    Returns
    -------
    (M, 2), as long as `path` within a cell; `path` itself where it is shorter than that.
    """
    depth = ndimage.distance_transform_edt(np.pad(outline, 1))[1:-1, 1:-1]
    to_end = np.append(np.cumsum(np.hypot(*np.diff(path, axis=0).T)[::-1])[::-1], 0.0)
    rows, columns = path.round().astype(np.int64).T
    half_width = float(depth[rows, columns][to_end <= lower_cells].max())
    kept, above = path[to_end >= half_width], path[to_end >= 3 * half_width]
    if not len(above) or len(kept) == len(above):
        return path
    way = kept[-1] - above[-1]
    return np.vstack([kept, kept[-1] + half_width * way / np.hypot(*way)])


def nose(margin: BoolArray, elevation_m: Float32Array, *, cell_m: float) -> tuple[int, int]:
    """Cell in the middle of the lowest part of the margin.

    The lowest cell itself may stand anywhere along a broad front, and a line to it would cross the front at an angle.
    """
    lowest = _highest(margin, -elevation_m)
    cells = np.argwhere(margin & (elevation_m <= elevation_m[lowest] + NOSE_HEIGHT_M))
    near = cells[np.hypot(*(cells - lowest).T) <= NOSE_M / cell_m]
    row, column = near[int(np.hypot(*(near - near.mean(axis=0)).T).argmin())]
    return int(row), int(column)


def route_cost(body: BoolArray, elevation_m: Float32Array) -> Float64Array:
    """(H, W) cost of a cell; infinite off the glacier."""
    depth = ndimage.distance_transform_edt(body)
    lowest, highest = float(elevation_m[body].min()), float(elevation_m[body].max())
    rise = (elevation_m.astype(np.float64) - lowest) / max(highest - lowest, 1.0)
    margin = MARGIN_WEIGHT * (1 - depth / depth.max())
    cost = margin**MARGIN_POWER + (HEIGHT_WEIGHT * np.clip(rise, 0, 1)) ** HEIGHT_POWER
    return np.asarray(np.where(body, 1 + cost, np.inf))


def smoothed(line: Float64Array) -> Float64Array:
    """(N, 2) line without the raster's corners; its ends stay."""
    if len(line) < 3:
        return line
    smooth = ndimage.gaussian_filter1d(line, SMOOTHING_CELLS, axis=0, mode="nearest")
    weight = np.minimum(np.minimum(np.arange(len(line)), np.arange(len(line))[::-1]) / (2 * SMOOTHING_CELLS), 1.0)
    return np.asarray(line + weight[:, None] * (smooth - line))


def _largest_part(outline: BoolArray) -> BoolArray:
    labels, count = ndimage.label(outline, structure=np.ones((3, 3)))
    if count < 2:
        return outline
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == int(sizes.argmax()))


def _highest(where: BoolArray, value: AnyArray) -> tuple[int, int]:
    """Cell of `where` with the largest value, the first of several."""
    row, column = np.unravel_index(int(np.where(where, value, -np.inf).argmax()), where.shape)
    return int(row), int(column)
