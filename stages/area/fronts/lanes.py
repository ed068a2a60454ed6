"""Observe one glacier's front in one year: what the year's map shows about the flow line."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine

from stages.area.fronts.position import Strip, locate_front, reached, strips_about
from stages.area.map.surface import grown
from stages.area.site import AreaSite
from stages.common.params.area import FrontParams
from stages.common.tables.kinds import PROBABILITY_NODATA
from stages.common.types import BoolArray, Float64Array, UInt16Array

SURE, POSSIBLE = 8400, 1600
"""Probabilities of ice, 0-10000 as stored: the fronts at these two lie one sigma of the model on either side of the
mapped front."""

LANES = (-3, -2, -1, 0, 1, 2, 3)
"""Corridors across the tongue: how far each lies to the left of the flow line, in halves of the corridor's width."""

Window = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True)
class FrontObservation:
    """Lower end of one glacier in one year, unrounded."""

    position_m: float | None
    """Position of the front along the flow line, metres from its head; None where there is none."""
    reason: str | None
    """Why there is no position; None where there is one."""
    across_m: tuple[float | None, ...]
    """Position of the front in each of `LANES`, metres along the flow line; None where a lane has no front."""
    model_sigma_m: float
    """Half of the way between the fronts of sure and of possible ice; 0 where neither has a position."""
    box_ice: Float64Array
    """(n_bins,) pixels of ice in the box; bins are one pixel long, along the flow line."""
    box_unseen: Float64Array
    """(n_bins,) unseen pixels in the box that may be ice too."""
    box_edge: Float64Array
    """(n_bins,) pixels by which the ice in the box grows when its edge moves out by one pixel."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Pixels about one glacier's flow line."""

    window: Window
    """Rows and columns of the grid, (h, w) pixels, that the arrays below stand for."""
    own_ground: BoolArray
    """(h, w): pixels whose ice is counted to this glacier, or to no glacier."""
    corridor: Strip
    """Pixels about the flow line itself."""
    across: tuple[Strip, ...]
    """Pixels of each of `LANES`."""
    box: Strip
    """Pixels of the box method."""
    pixel_m: float
    """Side of a pixel."""

    def observe(self, ice: BoolArray, observed: BoolArray, probability: UInt16Array) -> FrontObservation:
        """Measure the front on a year's map, of which each array is the (h, w) part in the window.

        Parameters
        ----------
        ice, observed
            Mapped ice, and observed pixels; pixels outside the AOI count as not observed.
        probability
            0-10000 as stored; 65535 where there is none.
        """
        unseen = ~observed & self.own_ground
        body, hidden = reached(ice & self.own_ground, unseen, self.corridor.inside)
        position_m, reason = self._locate(self.corridor, body, hidden)
        has_probability = observed & self.own_ground & (probability != PROBABILITY_NODATA)
        at_levels = [
            self._locate(
                self.corridor, *reached(has_probability & (probability >= level), unseen, self.corridor.inside)
            )[0]
            for level in (SURE, POSSIBLE)
        ]
        whole = body | hidden
        wider, narrower = grown(whole), ~grown(~whole)
        return FrontObservation(
            position_m=position_m,
            reason=reason,
            across_m=tuple(self._locate(strip, body, hidden)[0] for strip in self.across),
            model_sigma_m=_model_sigma_m(position_m, at_levels),
            box_ice=self.box.count(body),
            box_unseen=self.box.count(hidden),
            box_edge=(self.box.count(wider) - self.box.count(narrower)) / 2,
        )

    def _locate(self, strip: Strip, body: BoolArray, hidden: BoolArray) -> tuple[float | None, str | None]:
        return locate_front(strip.count(body), strip.count(hidden), strip.count(strip.inside), pixel_m=self.pixel_m)


def _model_sigma_m(position_m: float | None, at_levels: list[float | None]) -> float:
    """Return half of the way between two fronts; where one has no position, the way from the front to the other."""
    if position_m is None:
        return 0.0
    ways = [abs(level - position_m) for level in at_levels if level is not None]
    return sum(ways) / len(ways) if ways else 0.0


def lane_about(site: AreaSite, index: int, line: Any, params: FrontParams) -> Lane:
    """Find the pixels about a glacier's flow line.

    The window holds the line and all ground whose ice is counted to the glacier.

    Parameters
    ----------
    index
        The glacier's number in `AreaSite.owner`.
    line
        LineString in the grid's CRS.
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
    offsets_m = [lane * half_m for lane in LANES]
    across, (box,) = strips_about(line, grid, [(params.corridor_m, offsets_m), (params.box_width_m, [0.0])])
    return Lane(
        window=window,
        own_ground=np.isin(site.owner[window], (0, index)),
        corridor=across[LANES.index(0)],
        across=tuple(across),
        box=box,
        pixel_m=grid.pixel_size_m,
    )


def _window(site: AreaSite, index: int, bounds: tuple[float, float, float, float]) -> Window:
    """Return rows and columns that hold a glacier's pixels and `bounds` (left, bottom, right, top in metres)."""
    left, bottom, right, top = bounds
    to_pixels = ~site.grid.transform
    (first_column, first_row), (last_column, last_row) = to_pixels @ (left, top), to_pixels @ (right, bottom)
    rows, columns = site.window(index)
    top, first = max(min(rows.start, math.floor(first_row)), 0), max(min(columns.start, math.floor(first_column)), 0)
    bottom = min(max(rows.stop, math.ceil(last_row)), site.grid.height)
    last = min(max(columns.stop, math.ceil(last_column)), site.grid.width)
    return slice(top, bottom), slice(first, last)
