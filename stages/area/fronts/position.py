"""Find where ice ends along a flow line, and how far it fills a box about it: pixels in, metres along the line out.

Centre-line and curvilinear box method as compared by Lea et al. (2014), J. Glaciol. 60, 323-332; the box after Moon
and Joughin (2008), J. Geophys. Res. 113, F02022.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from rasterio import features
from scipy import ndimage

from stages.area.map.pieces import EIGHT_NEIGHBOURS
from stages.common.geo.grid import Grid
from stages.common.types import AnyArray, BoolArray, Float64Array, IntArray

NARROWEST_PX = 3
"""Least width of a corridor: in a narrower one a single pixel moves the front."""

FILLED = 0.5
"""Part of the corridor's width that is ice at the front, by definition."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Pixels about a flow line, by their distance along it."""

    inside: BoolArray
    """(h, w): pixels of the strip."""
    bins: IntArray
    """(N,) bin of each pixel of `inside`, in their order; bins are one pixel long, along the line."""
    n_bins: int
    """Number of bins from the head of the line to its end."""

    def count(self, chosen: BoolArray) -> Float64Array:
        """Count the strip's pixels within an (h, w) selection, by bin: (n_bins,)."""
        weights = chosen[self.inside].astype(np.float64)
        return np.bincount(self.bins, weights=weights, minlength=self.n_bins).astype(np.float64)


def strip_about(line: Any, grid: Grid, *, width_m: float) -> Strip:
    """Select pixels whose centres lie within half of `width_m` (at least three pixels) of a line: see `lanes_about`."""
    return lanes_about(line, grid, width_m=width_m, offsets_m=[0.0])[0]


def lanes_about(line: Any, grid: Grid, *, width_m: float, offsets_m: Sequence[float]) -> list[Strip]:
    """Select strips of pixels along a line and beside it: see `strips_about`.

    Parameters
    ----------
    width_m
        Width of a strip; three pixels where it is less.
    offsets_m
        How far the middle of each strip lies to the left of the line; negative: to its right.
    """
    return strips_about(line, grid, [(width_m, offsets_m)])[0]


def strips_about(line: Any, grid: Grid, wanted: Sequence[tuple[float, Sequence[float]]]) -> list[list[Strip]]:
    """Select strips of pixels along a line and beside it, all by their distance along the line itself.

    Parameters
    ----------
    line
        LineString in the grid's CRS; it may leave the grid.
    wanted
        Widths and offsets as those of `lanes_about`, a list of strips for each: where each pixel lies is found once.
    """
    pixel_m = grid.pixel_size_m
    halves_m = [max(width_m, NARROWEST_PX * pixel_m) / 2 for width_m, _ in wanted]
    bands = [
        shapely.buffer(line, max(map(abs, offsets_m)) + half_m, cap_style="flat")
        for half_m, (_, offsets_m) in zip(halves_m, wanted, strict=True)
    ]
    masks = [features.geometry_mask([band], grid.shape, grid.transform, invert=True) for band in bands]
    line = shapely.simplify(line, pixel_m / 4)  # the time grows with points times parts
    row, column = np.nonzero(np.logical_or.reduce(masks))
    x, y = grid.transform @ (column + 0.5, row + 0.5)
    along_m = shapely.line_locate_point(line, shapely.points(x, y))
    left_m = _to_the_left(x, y, shapely.get_coordinates(line), along_m)
    n_bins = max(math.ceil(line.length / pixel_m), 1)
    bins = np.minimum((along_m / pixel_m).astype(np.int64), n_bins - 1)

    def strip(mask: BoolArray, half_m: float, offset_m: float) -> Strip:
        chosen, inside = mask[row, column] & (np.abs(left_m - offset_m) <= half_m), np.zeros(grid.shape, dtype=bool)
        inside[row[chosen], column[chosen]] = True
        return Strip(inside=inside, bins=bins[chosen], n_bins=n_bins)

    return [
        [strip(mask, half_m, offset_m) for offset_m in offsets_m]
        for mask, half_m, (_, offsets_m) in zip(masks, halves_m, wanted, strict=True)
    ]


def _to_the_left(x: AnyArray, y: AnyArray, corners: AnyArray, along_m: Float64Array) -> Float64Array:
    """Return (N,) metres from points to a line, negative on its right; `along_m` (N,) are their places along it."""
    foot, above, below = (points_along(corners, along_m + step_m) for step_m in (0, -1, 1))
    ahead, aside = below - above, np.column_stack([x, y]) - foot
    turn = ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0]
    return np.asarray(np.sign(turn) * np.hypot(*aside.T))


def points_along(corners: AnyArray, along_m: Float64Array) -> Float64Array:
    """Return the (N, 2) points of a line with these (M, 2) corners at distances along it, at its ends beyond them.

    They are those of `shapely.line_interpolate_point`, which walks the line from its start for each of them.
    """
    steps = np.diff(corners, axis=0)
    lengths = np.sqrt(steps[:, 0] ** 2 + steps[:, 1] ** 2)
    ends = np.cumsum(lengths)
    part = np.minimum(np.searchsorted(ends, along_m, side="right"), len(steps) - 1)
    share = np.clip((along_m - np.append(0.0, ends)[part]) / lengths[part], 0, 1)[:, None]
    return np.asarray(np.where(share == 1, corners[part + 1], steps[part] * share + corners[part]))


def filled(part: Float64Array, whole: Float64Array) -> Float64Array:
    """Return the (n_bins,) part, 0 to 1, of the strip's width that is filled in each bin.

    A bin without a pixel, as a bend may leave one, is interpolated. Bins beyond the grid have no pixel either: they
    take the value at the grid's edge.

    Parameters
    ----------
    part, whole
        (n_bins,) filled pixels and all pixels of the strip, by bin.
    """
    with_pixels = np.flatnonzero(whole)
    if not with_pixels.size:
        return np.zeros(len(whole))
    return np.interp(np.arange(len(whole)), with_pixels, part[with_pixels] / whole[with_pixels])


def reached(ice: BoolArray, unseen: BoolArray, corridor: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Select the largest body of ice that reaches the corridor, and the unseen pixels that may belong to it.

    Dead ice and snow patches below a front are bodies of their own, and so is a tributary that has let go of the trunk,
    though the line may come from it. Unseen pixels may be ice and join bodies: a cloud across the tongue does not end
    it.

    Parameters
    ----------
    ice, unseen
        (h, w): pixels of ice and unseen pixels, of one glacier.
    corridor
        (h, w): pixels about the flow line.
    """
    bodies, count = ndimage.label(ice | unseen, structure=EIGHT_NEIGHBOURS)
    touching = np.unique(bodies[corridor & ice])
    if not touching.size:
        return np.zeros_like(ice), np.zeros_like(ice)
    body = bodies == touching[np.bincount(bodies[ice], minlength=count + 1)[touching].argmax()]
    return np.asarray(ice & body), np.asarray(unseen & body)


def front_m(width: Float64Array, *, pixel_m: float) -> float | None:
    """Return how far along the line the last place lies where at least half of the corridor's width is ice.

    The place is interpolated between bins: a front oblique to the raster is found to a fraction of a pixel.

    Parameters
    ----------
    width
        (n_bins,) part of the corridor's width that is ice, 0 to 1, by bin.

    Returns
    -------
    Metres from the line's head; infinite where the ice reaches the line's end, None where there is no ice.
    """
    ice = np.flatnonzero(width >= FILLED)
    if not ice.size:
        return None
    last = int(ice[-1])
    if last == len(width) - 1:
        return math.inf
    above, below = float(width[last]), float(width[last + 1])
    return pixel_m * (last + 0.5 + (above - FILLED) / (above - below))


def locate_front(
    ice: Float64Array, unseen: Float64Array, whole: Float64Array, *, pixel_m: float
) -> tuple[float | None, str | None]:
    """Return the front's position in metres along the line, or None and the reason why it has none.

    Unseen pixels are taken once for ground and once for ice of the same body: where that moves the front by more than
    a pixel, the front was not observed.

    Parameters
    ----------
    ice, unseen, whole
        (n_bins,) pixels of ice, unseen pixels and all pixels of the corridor, by bin.
    """
    low = front_m(filled(ice, whole), pixel_m=pixel_m)
    if low is None:
        return None, "no ice was observed on the flow line"
    high = front_m(filled(ice + unseen, whole), pixel_m=pixel_m) or low
    if low == math.inf:
        return None, "the ice reaches the end of the flow line or of the AOI"
    if high - low > pixel_m:
        return (
            None,
            f"not observed: {f'beyond {low:.0f}' if high == math.inf else f'between {low:.0f} and {high:.0f}'} m",
        )
    return (low + high) / 2, None


def beyond(counts: Float64Array, from_m: float, *, pixel_m: float) -> float:
    """Sum the pixels of the bins that lie further along the line than `from_m`; of the bin it cuts, a part.

    Parameters
    ----------
    counts
        (n_bins,) pixels by bin.
    """
    share = np.clip(np.arange(1, len(counts) + 1) - from_m / pixel_m, 0, 1)
    return float((counts * share).sum())
