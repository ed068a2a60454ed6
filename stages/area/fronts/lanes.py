"""What a year's map shows about a flow line."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine
from scipy import ndimage

from stages.area.fronts.position import Strip, lanes_about, locate, reached, strip_about
from stages.area.site import Site
from stages.common.params.area import FrontParams
from stages.common.tables.kinds import PROBABILITY_NODATA
from stages.common.types import BoolArray, Float64Array, UInt16Array

SURE, POSSIBLE = 8400, 1600
"""Probability (0-10000) of ice: the fronts at these lie one sigma of the model on either side of its own."""

LANES = (-3, -2, -1, 0, 1, 2, 3)
"""Corridors across the tongue, by half their width to the left of the flow line."""

Window = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True)
class View:
    """One glacier's lower end in one year, unrounded."""

    position_m: float | None
    """Of the front, along the flow line."""
    reason: str | None
    """Why there is no position."""
    across_m: tuple[float | None, ...]
    """Where the front lies along the flow line in each of `LANES`; None: nowhere."""
    model_sigma_m: float
    """Half of the way between the fronts of sure and of possible ice; 0 where neither can be told."""
    box_ice: Float64Array
    """(n_bins,) pixels of ice in the box, by pixel lengths along the line."""
    box_unseen: Float64Array
    """(n_bins,) pixels that may be ice too."""
    box_edge: Float64Array
    """(n_bins,) pixels by which the ice in the box grows where its edge moves by a pixel."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Pixels about one glacier's flow line."""

    window: Window
    mine: BoolArray
    """(h, w): ice there is this glacier's, or no glacier's."""
    corridor: Strip
    across: tuple[Strip, ...]
    """Each of `LANES`."""
    box: Strip
    pixel_m: float

    def view(self, ice: BoolArray, seen: BoolArray, probability: UInt16Array) -> View:
        """Look at a year's map, each (h, w) in the window.

        Parameters
        ----------
        ice, seen
            What is not AOI was not seen.
        probability
            0-10000 as stored, or 65535.
        """
        unseen = ~seen & self.mine
        body, hidden = reached(ice & self.mine, unseen, self.corridor.inside)
        position_m, reason = self._front(self.corridor, body, hidden)
        known = seen & self.mine & (probability != PROBABILITY_NODATA)
        at_levels = [
            self._front(self.corridor, *reached(known & (probability >= level), unseen, self.corridor.inside))[0]
            for level in (SURE, POSSIBLE)
        ]
        whole = body | hidden
        wider, narrower = ndimage.binary_dilation(whole), ndimage.binary_erosion(whole, border_value=1)
        return View(
            position_m=position_m,
            reason=reason,
            across_m=tuple(self._front(strip, body, hidden)[0] for strip in self.across),
            model_sigma_m=_spread_m(position_m, at_levels),
            box_ice=self.box.count(body),
            box_unseen=self.box.count(hidden),
            box_edge=(self.box.count(wider) - self.box.count(narrower)) / 2,
        )

    def _front(self, strip: Strip, body: BoolArray, hidden: BoolArray) -> tuple[float | None, str | None]:
        return locate(strip.count(body), strip.count(hidden), strip.count(strip.inside), pixel_m=self.pixel_m)


def _spread_m(position_m: float | None, at_levels: list[float | None]) -> float:
    """Half of the way between two fronts; where one has no position, the way from the front to the other."""
    if position_m is None:
        return 0.0
    ways = [abs(level - position_m) for level in at_levels if level is not None]
    return sum(ways) / len(ways) if ways else 0.0


def lane_of(site: Site, index: int, line: Any, params: FrontParams) -> Lane:
    """Pixels about the flow line (LineString in the grid's CRS) of a glacier, by its number in `Site.owner`.

    The window holds the line and all ground whose ice is counted to the glacier.
    """
    window = _window(site, index, line.buffer(max(2.5 * params.corridor_m, params.box_width_m)).bounds)
    rows, columns = window
    grid = replace(
        site.grid,
        transform=site.grid.transform @ Affine.translation(columns.start, rows.start),
        height=rows.stop - rows.start,
        width=columns.stop - columns.start,
    )
    half_m = params.corridor_m / 2
    across = lanes_about(line, grid, width_m=params.corridor_m, offsets_m=[lane * half_m for lane in LANES])
    return Lane(
        window=window,
        mine=np.isin(site.owner[window], (0, index)),
        corridor=across[LANES.index(0)],
        across=tuple(across),
        box=strip_about(line, grid, width_m=params.box_width_m),
        pixel_m=grid.pixel_size_m,
    )


def _window(site: Site, index: int, bounds: tuple[float, float, float, float]) -> Window:
    """Rows and columns that hold a glacier's pixels and `bounds` (left, bottom, right, top in metres)."""
    left, bottom, right, top = bounds
    to_pixels = ~site.grid.transform
    (first_column, first_row), (last_column, last_row) = to_pixels @ (left, top), to_pixels @ (right, bottom)
    rows, columns = site.window(index)
    top, first = max(min(rows.start, math.floor(first_row)), 0), max(min(columns.start, math.floor(first_column)), 0)
    bottom = min(max(rows.stop, math.ceil(last_row)), site.grid.height)
    last = min(max(columns.stop, math.ceil(last_column)), site.grid.width)
    return slice(top, bottom), slice(first, last)
