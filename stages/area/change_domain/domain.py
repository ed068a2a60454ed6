"""Find the ground where glaciers can change, and the ground where they cannot: the negative control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from stages.area.map.elevation import Elevation
from stages.area.map.surface import EIGHT_NEIGHBOURS, by_label, grow_zones, grown
from stages.area.site import AreaSite, relative_height
from stages.common.params.area import ChangeParams
from stages.common.types import BoolArray, Float32Array

BY_HEIGHT = "outlines, a margin around them, and lower ground near them"
WITHOUT_HEIGHT = "outlines and all ground near them, as there is no DEM"
HIGH_MARGIN = ", and high ground beside them, as the ice there grows"


@dataclass(frozen=True, kw_only=True)
class ChangeDomain:
    """Ground where glaciers can change."""

    prior: BoolArray
    """(H, W): outlines within the AOI. Ice must hang together with them."""
    ground: BoolArray
    """(H, W): outlines, their margin, and ground that an advance would take."""
    high_margin: BoolArray
    """(H, W): high ground beside the glaciers. It counts only where a series of years shows that ice grows there."""
    control: BoolArray
    """(H, W): the AOI beyond `ground`, with the high margin. What is mapped as ice there says how far a year is off."""
    method: str
    """What the ground consists of, in words."""


def domain_of(site: AreaSite, dem: Elevation | None, params: ChangeParams) -> ChangeDomain:
    """Find the domain of a site; its heights come from the DEM, where there is one that reaches the site."""
    height_m = dem.on_cells(site.grid.shape, site.grid.transform, site.grid.crs) if dem else None
    return find_domain(site, height_m, params)


def find_domain(site: AreaSite, height_m: Float32Array | None, params: ChangeParams) -> ChangeDomain:
    """Return the ground where the glaciers of a site can change.

    An old outline is off by about a pixel everywhere, and glaciers advance downhill: beyond the margin only ground near
    a glacier (`AreaSite.owner`) and below a part of its heights belongs to the domain. High ground beyond the outlines
    is snow in one year and rock in the next; that within `ChangeParams.high_margin_m` is kept apart.

    Parameters
    ----------
    height_m
        (H, W) metres; None where there is no DEM: then all ground near a glacier belongs to the domain.
    """
    pixel_m = site.grid.pixel_size_m
    margin = site.aoi & (grow_zones(site.prior, distance_px=max(params.margin_m / pixel_m, 1.0)) != 0)
    near = site.aoi & (site.owner > 0)
    if height_m is not None:
        near &= relative_height(site, height_m) < params.growth_height_fraction
    ground = margin | near
    control = site.aoi & ~ground
    beside = grow_zones(site.prior, distance_px=params.high_margin_m / pixel_m) != 0
    return ChangeDomain(
        prior=site.prior, ground=ground, high_margin=control & beside, control=control,
        method=WITHOUT_HEIGHT if height_m is None else BY_HEIGHT,
    )  # fmt: skip


def changing_ice(domain: ChangeDomain, ice: BoolArray, observed: BoolArray) -> BoolArray:
    """Return the (H, W) ice of a year within the domain.

    Ice counts where it hangs together with ice within the outlines. Glaciers melt from their margins: a gap in the ice
    that does not hang together with the ground off the outlines, over at least three pixels' width, is dark debris or
    shadow, and counts as ice. What was not observed is taken as it is in the outlines; no area is taken over it.
    """
    filled = np.where(observed, ice, domain.prior) & domain.ground
    body = _hanging_together(filled, domain.prior, EIGHT_NEIGHBOURS)
    gaps, open_gaps = ~body, ~grown(body)
    reached = grown(_hanging_together(open_gaps, ~domain.prior))
    return np.asarray(domain.ground & ~(gaps & (reached | ~domain.prior)))


def ice_on_high_margin(domain: ChangeDomain, ice: BoolArray, inside: BoolArray) -> BoolArray:
    """Return the (H, W) ice of a year on the high margin that hangs together with the ice `inside` the domain."""
    return _hanging_together(ice & domain.high_margin, grown(inside, corners=True), EIGHT_NEIGHBOURS)


def _hanging_together(area: BoolArray, start: BoolArray, structure: BoolArray | None = None) -> BoolArray:
    """Return the connected pieces of `area` that hold a pixel of `start`, (H, W)."""
    labels, count = ndimage.label(area, structure=structure)
    keep = np.zeros(count + 1, dtype=bool)
    keep[labels[area & start]] = True
    keep[0] = False
    return by_label(keep, labels)
