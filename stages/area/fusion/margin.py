"""Tell where each pixel lies against the old outline: distance, height within the glacier, age of the outline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.area.map.surface import distances_m
from stages.area.site import AreaSite
from stages.common.geo.planes import Plane
from stages.common.geo.rows import strips
from stages.common.tables.labels import GlacierRow, year_of_outline
from stages.common.types import Float64Array


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Place of each pixel against the prior outlines."""

    beyond_m: Plane
    """(H, W) metres beyond the outline; negative within it. `NO_OUTLINE_M`, and the negative of it, beyond reach."""
    height: Plane
    """(H, W) height between the glacier's front (0) and head (1), 1 far from all; 0 everywhere without a DEM."""
    outline_year: Float64Array
    """(1 + glaciers,) year of each outline by value of `AreaSite.owner`; position 0: the mean of all."""
    has_height: bool
    """Whether a DEM gives the heights. Without it nobody knows where the fronts are."""


NO_OUTLINE_M = 1e6
"""Distance where there is no outline within reach, or none at all."""


def margin_of(site: AreaSite, heights: Plane | None, *, reach_m: float = math.inf) -> Margin:
    """Measure each pixel's place; `heights` are those of `heights_of`, `reach_m` as in `beyond_outlines`."""
    height = Plane(site.scratch, site.grid.shape, np.float32)
    if heights is not None:
        for rows in strips(site.grid.height):
            height[rows] = np.clip(np.nan_to_num(heights[rows], nan=1.0, posinf=1.0), 0.0, 1.0)
    return Margin(
        beyond_m=beyond_outlines(site, reach_m=reach_m),
        height=height,
        outline_year=outline_years(site.glaciers),
        has_height=heights is not None,
    )


def beyond_outlines(site: AreaSite, *, reach_m: float) -> Plane:
    """Measure the distances to the outlines' edge, half a pixel at the first pixel on either side.

    Distances of at most `reach_m` are exact; farther away `NO_OUTLINE_M` may stand, negative within the outlines.
    """
    pixel_m = site.grid.pixel_size_m
    beyond = Plane(site.scratch, site.grid.shape, np.float32)
    for sign, area in ((1, ~site.prior), (-1, site.prior)):  # beyond the outlines, and within them
        for rows, away in distances_m(area, pixel_m, reach_m=reach_m):
            signed = sign * np.minimum(away - pixel_m / 2, np.float32(NO_OUTLINE_M))
            beyond[rows] = np.where(area[rows], signed, beyond[rows])
    return beyond


def outline_years(glaciers: Sequence[GlacierRow]) -> Float64Array:
    """Return the year of each glacier's outline by its number; position 0, and a site without any: the mean."""
    years = [float(year_of_outline(row.src_date)) for row in glaciers]
    mean = float(np.mean(years)) if years else float(year_of_outline(None))
    return np.array([mean, *years])
