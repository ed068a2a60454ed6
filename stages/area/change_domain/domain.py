"""Find the ground where glaciers can change, and the ground where they cannot: the negative control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.area.map.pieces import Strip, keep_pieces
from stages.area.map.surface import grow_zones, grown_rows
from stages.area.site import AreaSite
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.params.area import ChangeParams
from stages.common.types import BoolArray

BY_HEIGHT = "outlines, a margin around them, and lower ground near them"
WITHOUT_HEIGHT = "outlines and all ground near them, as there is no DEM"
HIGH_MARGIN = ", and high ground beside them, as the ice there grows"


@dataclass(frozen=True, kw_only=True)
class ChangeDomain:
    """Ground where glaciers can change."""

    prior: Bits
    """(H, W): outlines within the AOI. Ice must hang together with them."""
    ground: Bits
    """(H, W): outlines, their margin, and ground that an advance would take."""
    high_margin: Bits
    """(H, W): high ground beside the glaciers. It counts only where a series of years shows that ice grows there."""
    control: Bits
    """(H, W): the AOI beyond `ground`, with the high margin. What is mapped as ice there says how far a year is off."""
    method: str
    """What the ground consists of, in words."""


def find_domain(site: AreaSite, heights: Plane | None, params: ChangeParams) -> ChangeDomain:
    """Return the ground where the glaciers of a site can change.

    An old outline is off by about a pixel everywhere, and glaciers advance downhill: beyond the margin only ground near
    a glacier (`AreaSite.owner`) and below a part of its heights belongs to the domain. High ground beyond the outlines
    is snow in one year and rock in the next; that within `ChangeParams.high_margin_m`, and near a glacier too, is kept
    apart.

    Parameters
    ----------
    heights
        As `heights_of`; None where there is no DEM: then all ground near a glacier belongs to the domain.
    """
    pixel_m = site.grid.pixel_size_m
    margin = grow_zones(site.prior[:], distance_px=max(params.margin_m / pixel_m, 1.0))

    def ground_of(rows: slice) -> BoolArray:
        lower = near[rows]
        if heights is not None:
            lower &= heights[rows] < params.growth_height_fraction
        return np.asarray(site.aoi[rows] & (margin[rows] | lower))

    near = Bits.by_rows(site.grid.shape, lambda rows: site.owner[rows] > 0)
    ground = Bits.by_rows(site.grid.shape, ground_of)
    control = site.aoi & ~ground
    beside = near & Bits.of(grow_zones(site.prior[:], distance_px=params.high_margin_m / pixel_m))
    return ChangeDomain(
        prior=site.prior, ground=ground, high_margin=control & beside, control=control,
        method=WITHOUT_HEIGHT if heights is None else BY_HEIGHT,
    )  # fmt: skip


def changing_ice(domain: ChangeDomain, ice: Bits, observed: Bits) -> Bits:
    """Return the (H, W) ice of a year within the domain.

    Ice counts where it hangs together with ice within the outlines. Glaciers melt from their margins: a gap in the ice
    that does not hang together with the ground off the outlines, over at least three pixels' width, is dark debris or
    shadow, and counts as ice. What was not observed is taken as it is in the outlines; no area is taken over it.
    """
    height, width = ice.shape

    def filled(rows: slice) -> BoolArray:
        return np.where(observed[rows], ice[rows], domain.prior[rows]) & domain.ground[rows]

    body = _hanging_together(filled, lambda rows: domain.prior[rows], (height, width), corners=True)

    def open_gaps(rows: slice) -> BoolArray:
        return ~grown_rows(lambda some: body[some], rows, height)

    reached = _hanging_together(open_gaps, lambda rows: ~domain.prior[rows], (height, width))
    for rows in strips(height):
        lost = grown_rows(lambda some: reached[some], rows, height) | ~domain.prior[rows]
        body[rows] = domain.ground[rows] & (body[rows] | ~lost)
    return body


def ice_on_high_margin(domain: ChangeDomain, ice: Bits, inside: Bits) -> Bits:
    """Return the (H, W) ice of a year on the high margin that hangs together with the ice `inside` the domain."""
    shape = (ice.shape[0], ice.shape[1])

    def beside(rows: slice) -> BoolArray:
        return grown_rows(lambda some: inside[some], rows, shape[0], corners=True)

    return _hanging_together(lambda rows: ice[rows] & domain.high_margin[rows], beside, shape, corners=True)


def _hanging_together(area: Strip, start: Strip, shape: tuple[int, int], *, corners: bool = False) -> Bits:
    """Return the connected pieces of `area` that hold a pixel of `start`, (H, W)."""
    return keep_pieces(area, start, lambda _, has_start: has_start, shape=shape, corners=corners)[0]
