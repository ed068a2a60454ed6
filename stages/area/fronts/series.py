"""Position of each glacier's front in each year, and how well it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from stages.area.fronts.flow_lines import FlowLine, flow_lines
from stages.area.fronts.lanes import LANES, FrontObservation, Lane, lane_about
from stages.area.fronts.position import NARROWEST_PX, beyond
from stages.area.map.elevation import Elevation
from stages.area.site import AreaSite
from stages.area.year.year_area import YearArea
from stages.common.geo.planes import Bits
from stages.common.geo.raster import open_raster, refuse_unreadable
from stages.common.params.area import AreaParams
from stages.common.run.stage import Run
from stages.common.tables.prepare import Provenance, Registration

MEASURED_SHIFT_PX = 0.07
"""Error of a shift that was measured: the largest one found on planted shifts (docs/method.md, sub-pixel shift)."""


@dataclass(frozen=True, kw_only=True)
class FrontPosition:
    """Front of one glacier in one year, in unrounded metres along the flow line."""

    year: int
    decimal_year: float
    position_m: float | None
    """Mean of `across_m`; None where the front has no position."""
    sigma_m: float
    """One sigma of the position: edge, model and registration of the scene together."""
    across_m: tuple[float, ...] = ()
    """Position in each lane across the tongue that has a front in every year with a position: the same lanes each
    year."""
    box_m: float | None = None
    """Area of the ice in the box divided by the box's width; None where a part of the box is unseen."""
    box_sigma_m: float | None = None
    """One sigma of `box_m`; None where that is None."""
    reason: str | None = None
    """Why there is no position; None where there is one."""


@dataclass(frozen=True)
class YearObservation:
    """What one year's map shows of each glacier that has a flow line."""

    year: int
    decimal_year: float
    registration_sigma_m: float
    """One sigma of the scene's shift against the reference year."""
    fronts: dict[int, FrontObservation]
    """Observation of each glacier, by its number in `AreaSite.owner`."""


@dataclass(frozen=True, kw_only=True)
class FrontSeries:
    """Collects what each year shows, glacier by glacier."""

    grid_px_m: float
    """Side of a pixel of the grid."""
    params: AreaParams
    flows: dict[int, FlowLine]
    """Flow line, or the reason why there is none, of every glacier, by its number in `AreaSite.owner`."""
    lanes: dict[int, Lane]
    """Pixels about the flow line of each glacier that has one, by its number in `AreaSite.owner`."""
    observations: list[YearObservation] = field(default_factory=list)
    """One per year, in the order in which the years were added."""

    def add(self, year_area: YearArea, provenance: Provenance, *, ice: Bits, observed: Bits, probability: Path) -> None:
        """Add a year's map: ice and observed pixels, both (H, W) within the AOI, and the path of probability.tif."""
        fronts = {}
        with open_raster(probability) as dataset, refuse_unreadable(probability):
            for index, lane in self.lanes.items():
                stored = dataset.read(1, window=Window.from_slices(*lane.window))
                fronts[index] = lane.observe(ice[lane.window], observed[lane.window], np.asarray(stored))
        registration_sigma_m = self.grid_px_m * registration_px(provenance, self.params)
        observation = YearObservation(year_area.year, year_area.decimal_year, registration_sigma_m, fronts)
        self.observations.append(observation)

    def positions(self, index: int) -> list[FrontPosition]:
        """Return the front of a glacier in each year; `index` is its number in `AreaSite.owner`."""
        if index not in self.lanes:
            return [_no_position(observation, self.flows[index].reason) for observation in self.observations]
        fronts = [observation.fronts[index] for observation in self.observations]
        placed = [front for front in fronts if front.position_m is not None]
        nearest_m = min((front.position_m or 0.0 for front in placed), default=0.0)
        box_from_m = max(nearest_m - self.params.terminus.box_upstream_m, 0.0)
        lanes = [lane for lane in range(len(LANES)) if all(front.across_m[lane] is not None for front in placed)]
        return [
            self._position(observation, front, lanes, box_from_m)
            for observation, front in zip(self.observations, fronts, strict=True)
        ]

    def _position(
        self, observation: YearObservation, front: FrontObservation, lanes: list[int], box_from_m: float
    ) -> FrontPosition:
        buffer_px, pixel_m = self.params.boundary_buffer_px, self.grid_px_m
        if front.position_m is None:
            return _no_position(observation, front.reason)
        ice_m, unseen_m, edge_m = (
            beyond(counts, box_from_m, pixel_m=pixel_m)
            * pixel_m**2
            / max(self.params.terminus.box_width_m, NARROWEST_PX * pixel_m)
            for counts in (front.box_ice, front.box_unseen, front.box_edge)
        )
        box_observed = unseen_m <= pixel_m
        across_m = tuple(front.across_m[lane] or 0.0 for lane in lanes)
        other_sigmas_m = front.model_sigma_m, observation.registration_sigma_m
        return FrontPosition(
            year=observation.year,
            decimal_year=observation.decimal_year,
            position_m=sum(across_m) / len(across_m),
            sigma_m=math.hypot(buffer_px * pixel_m, *other_sigmas_m),
            across_m=across_m,
            box_m=ice_m if box_observed else None,
            box_sigma_m=math.hypot(buffer_px * edge_m, *other_sigmas_m) if box_observed else None,
        )


def start_front_series(run: Run, site: AreaSite, dem: Elevation | None) -> FrontSeries:
    """Return a series without any year yet, with the flow lines of all glaciers and the pixels about them."""
    flows, params = flow_lines(run, site, dem), run.params.area
    lanes = {index: lane_about(site, index, flow.line, params.terminus) for index, flow in flows.items() if flow.line}
    return FrontSeries(grid_px_m=site.grid.pixel_size_m, params=params, flows=flows, lanes=lanes)


def registration_px(provenance: Provenance, params: AreaParams) -> float:
    """Return one sigma, in pixels, of a year's shift against the reference year: that of its worst scene."""
    return max(_registration_px(source.registration, params) for source in provenance.sources)


def _registration_px(registration: Registration | None, params: AreaParams) -> float:
    if registration is not None and registration.verdict == "reference":
        return 0.0
    if registration is None or registration.residual_px is None:
        return params.terminus.registration_px
    return math.hypot(registration.residual_px, MEASURED_SHIFT_PX)


def _no_position(observation: YearObservation, reason: str | None) -> FrontPosition:
    return FrontPosition(
        year=observation.year,
        decimal_year=observation.decimal_year,
        position_m=None,
        sigma_m=observation.registration_sigma_m,
        reason=reason,
    )
