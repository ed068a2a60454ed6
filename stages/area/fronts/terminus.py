"""Position of the ice fronts by year, and how well it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from stages.area.fronts.flow_lines import FlowLine, flow_lines
from stages.area.fronts.lanes import LANES, Lane, View, lane_of
from stages.area.fronts.position import NARROWEST_PX, beyond
from stages.area.site import Site
from stages.area.year.year_area import YearArea
from stages.common.geo.raster import open_raster
from stages.common.params.area import AreaParams
from stages.common.run.stage import Run
from stages.common.tables.prepare import Provenance, Registration
from stages.common.types import BoolArray

MEASURED_PX = 0.07
"""Error of a shift that was measured: the largest one found on planted shifts (docs/method.md, sub-pixel shift)."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One glacier's front in one year, in unrounded metres along the flow line."""

    year: int
    decimal_year: float
    position_m: float | None
    """Mean of `across_m`."""
    sigma_m: float
    """Of the edge, the model, and the scene's place together."""
    across_m: tuple[float, ...] = ()
    """In the lanes across the tongue that have a front in each year that has a position, the same every year."""
    box_m: float | None = None
    """Ice in the box over its width; None: not seen."""
    box_sigma_m: float | None = None
    reason: str | None = None
    """Why there is no position."""


@dataclass(frozen=True)
class Look:
    """A year, and what it shows of each glacier that has a flow line."""

    year: int
    decimal_year: float
    place_m: float
    """Error of the scene's place, one sigma."""
    views: dict[int, View]
    """By the number in `Site.owner`."""


@dataclass(frozen=True, kw_only=True)
class Termini:
    """Gathers what each year shows, glacier by glacier."""

    grid_px_m: float
    params: AreaParams
    flows: dict[int, FlowLine]
    """By the number in `Site.owner`; of every glacier."""
    lanes: dict[int, Lane]
    """Of those that have a flow line."""
    looks: list[Look] = field(default_factory=list)

    def add(self, one: YearArea, provenance: Provenance, *, ice: BoolArray, seen: BoolArray, probability: Path) -> None:
        """Look at a year's map: ice and what was seen, (H, W) within the AOI, and probability.tif."""
        views = {}
        with open_raster(probability) as dataset:
            for index, lane in self.lanes.items():
                there = dataset.read(1, window=Window.from_slices(*lane.window))
                views[index] = lane.view(ice[lane.window], seen[lane.window], np.asarray(there))
        place_m = self.grid_px_m * registration_px(provenance, self.params)
        self.looks.append(Look(one.year, one.decimal_year, place_m, views))

    def sightings(self, index: int) -> list[Sighting]:
        """A glacier's fronts, one a year; `index` is its number in `Site.owner`."""
        if index not in self.lanes:
            return [_nothing(look, self.flows[index].reason) for look in self.looks]
        known = [view for look in self.looks if (view := look.views[index]).position_m is not None]
        from_m = max(
            min((view.position_m or 0.0 for view in known), default=0.0) - self.params.terminus.box_upstream_m, 0.0
        )
        lanes = [lane for lane in range(len(LANES)) if all(view.across_m[lane] is not None for view in known)]
        return [self._sighting(look, look.views[index], lanes, from_m) for look in self.looks]

    def _sighting(self, look: Look, view: View, lanes: list[int], box_from_m: float) -> Sighting:
        buffer_px, pixel_m = self.params.boundary_buffer_px, self.grid_px_m
        if view.position_m is None:
            return _nothing(look, view.reason)
        ice_m, unseen_m, edge_m = (
            beyond(counts, box_from_m, pixel_m=pixel_m)
            * pixel_m**2
            / max(self.params.terminus.box_width_m, NARROWEST_PX * pixel_m)
            for counts in (view.box_ice, view.box_unseen, view.box_edge)
        )
        seen = unseen_m <= pixel_m
        across_m = tuple(view.across_m[lane] or 0.0 for lane in lanes)
        return Sighting(
            year=look.year,
            decimal_year=look.decimal_year,
            position_m=sum(across_m) / len(across_m),
            sigma_m=math.hypot(buffer_px * pixel_m, view.model_sigma_m, look.place_m),
            across_m=across_m,
            box_m=ice_m if seen else None,
            box_sigma_m=math.hypot(buffer_px * edge_m, view.model_sigma_m, look.place_m) if seen else None,
        )


def open_termini(run: Run, site: Site) -> Termini:
    """Flow lines of all glaciers, and the pixels about them."""
    flows, params = flow_lines(run, site), run.params.area
    lanes = {index: lane_of(site, index, flow.line, params.terminus) for index, flow in flows.items() if flow.line}
    return Termini(grid_px_m=site.grid.pixel_size_m, params=params, flows=flows, lanes=lanes)


def registration_px(provenance: Provenance, params: AreaParams) -> float:
    """Error of a year's place against the reference year in pixels, one sigma, of its worst scene."""
    return max(_registration_px(source.registration, params) for source in provenance.sources)


def _registration_px(registration: Registration | None, params: AreaParams) -> float:
    if registration is not None and registration.verdict == "reference":
        return 0.0
    if registration is None or registration.residual_px is None:
        return params.terminus.registration_px
    return math.hypot(registration.residual_px, MEASURED_PX)


def _nothing(look: Look, reason: str | None) -> Sighting:
    return Sighting(
        year=look.year, decimal_year=look.decimal_year, position_m=None, sigma_m=look.place_m, reason=reason
    )
