"""Tell where each pixel lies against the old outline: distance, height within the glacier, age of the outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.area.map.elevation import Elevation
from stages.area.map.surface import distance_m
from stages.area.site import AreaSite, relative_height
from stages.common.tables.labels import GlacierRow, year_of_outline
from stages.common.types import Float32Array, Float64Array


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Place of each pixel against the prior outlines."""

    beyond_m: Float32Array
    """(H, W) metres beyond the outline; negative within it. `NO_OUTLINE_M` where the site has no outline."""
    height: Float32Array
    """(H, W) height between the glacier's front (0) and head (1), 1 far from all; 0 everywhere without a DEM."""
    outline_year: Float64Array
    """(1 + glaciers,) year of each outline by value of `AreaSite.owner`; position 0: the mean of all."""
    has_height: bool
    """Whether a DEM gives the heights. Without it nobody knows where the fronts are."""


NO_OUTLINE_M = 1e6
"""Distance where there is no outline at all."""


def margin_of(site: AreaSite, dem: Elevation | None) -> Margin:
    """Measure the distances to the outlines' edge, half a pixel at the first pixel on either side, and the heights."""
    pixel_m = site.grid.pixel_size_m
    beyond = np.full(site.grid.shape, NO_OUTLINE_M, dtype=np.float32)
    if site.prior.any():
        beyond = distance_m(~site.prior, pixel_m) - pixel_m / 2
        beyond[site.prior] = pixel_m / 2 - distance_m(site.prior, pixel_m)[site.prior]
    height_m = dem.on_cells(site.grid.shape, site.grid.transform, site.grid.crs) if dem else None
    height = np.zeros(site.grid.shape, dtype=np.float32)
    if height_m is not None:
        height = np.clip(np.nan_to_num(relative_height(site, height_m), nan=1.0, posinf=1.0), 0.0, 1.0)
    return Margin(
        beyond_m=beyond,
        height=height,
        outline_year=outline_years(site.glaciers),
        has_height=height_m is not None,
    )


def outline_years(glaciers: Sequence[GlacierRow]) -> Float64Array:
    """Return the year of each glacier's outline by its number; position 0, and a site without any: the mean."""
    years = [float(year_of_outline(row.src_date)) for row in glaciers]
    mean = float(np.mean(years)) if years else float(year_of_outline(None))
    return np.array([mean, *years])
