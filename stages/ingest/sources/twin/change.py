"""The ice of a year, cut out of the largest extent so that each front stands exactly where the parameters put it.

The surface sinks by T(x, t) = H(L(t)) w(x / L(t)): H is the thickness below the flow line at the largest extent, L(t)
the length that year, and w falls from 1 at the front to a small value upstream. At the front no ice is left; above it
the margins melt back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from stages.common.errors import ParamsError
from stages.common.params.ingest import TwinParams
from stages.common.types import AnyArray, BoolArray, Float64Array
from stages.ingest.sources.twin.fields import ramp, round_field
from stages.ingest.sources.twin.glaciers import Glacier
from stages.ingest.sources.twin.landscape import Landscape

OUTLINE_YEAR = 2000
"""Year of the outlines, as of most outlines of RGI in High Mountain Asia."""

ROOM_TO_ADVANCE = 0.06
"""Share of the largest length that is free of ice in the year of the outlines."""

SHORTEST = 0.4
"""Smallest share of its largest length that a glacier may have: a shorter one would be a different glacier."""

THINNING_UPSTREAM = 0.08
"""Thinning at the head as a share of that at the front."""

DEBRIS_YEAR = 2016
"""Year to which `TwinParams.debris_fraction` refers."""

DEBRIS_EDGE = 0.07
"""Half the width of the transition from clean ice to debris, in units of `debris_order`."""


@dataclass(frozen=True, kw_only=True)
class Ice:
    """Ice of a year on the world's pixels."""

    year: int
    thickness_m: Float64Array
    """Ice thickness, (H, W), 0 where there is no ice."""
    debris: Float64Array
    """Share of the ice's surface that debris covers, (H, W) 0-1; 0 off the ice."""

    @property
    def mask(self) -> BoolArray:
        """Pixels with ice, (H, W)."""
        return self.thickness_m > 0

    @property
    def debris_mask(self) -> BoolArray:
        """Ice that debris covers by more than half, (H, W)."""
        return self.debris > 0.5


def length_m(glacier: Glacier, main: Glacier, params: TwinParams, year: int) -> float:
    """Return the length of a glacier in a year, from head to front, in metres; smaller glaciers change in proportion.

    Raises
    ------
    ParamsError
        The glacier would be almost gone, or longer than the largest extent.
    """
    share = glacier.length_m / main.length_m
    length = glacier.length_m * (1 - ROOM_TO_ADVANCE) - share * params.retreat_m_per_year * (year - OUTLINE_YEAR)
    if not SHORTEST * glacier.length_m <= length <= glacier.length_m:
        shortest_m, longest_m = (round(part * main.length_m) for part in (SHORTEST, 1.0))
        raise ParamsError(
            "the simulated glaciers cannot change so much",
            where="params.yaml: ingest.twin.retreat_m_per_year",
            expected=f"a main glacier of {shortest_m} to {longest_m} m",
            found=f"{length / share:.0f} m in {year}",
            fix=f"use a smaller rate, or years nearer to {OUTLINE_YEAR}",
        )
    return float(length)


def ice_thickness(world: Landscape, params: TwinParams, year: int) -> Float64Array:
    """Return the ice thickness of a year in metres, (H, W), 0 where there is no ice."""
    main = world.glaciers[0]
    thinning_m = [
        _thinning(glacier, along_m, length_m(glacier, main, params, year))
        for glacier, along_m in zip(world.glaciers, world.along_nodes_m, strict=True)
    ]
    return np.maximum(round_field(world.potential_m - world.by_glacier(thinning_m)), 0.0)


def _thinning(glacier: Glacier, along_m: AnyArray, length: float) -> Float64Array:
    part = np.minimum(along_m / length, 1.0)
    falling = part * part * part * part
    return np.asarray(glacier.thickness_at(length) * (THINNING_UPSTREAM + (1 - THINNING_UPSTREAM) * falling))


def ice_of(world: Landscape, params: TwinParams, year: int) -> Ice:
    """Return the ice and debris of a year."""
    thickness_m = ice_thickness(world, params, year)
    return Ice(year=year, thickness_m=thickness_m, debris=_debris(world, params, year, thickness_m))


def debris_order(world: Landscape) -> Float64Array:
    """Return the order in which debris covers the ice, (H, W), higher is earlier.

    Debris comes first low on the tongue, in stripes along the flow, and at the margins.
    """
    stripes = _stripes(world)
    margin = 1 - ramp(world.potential_m, 10, 70)
    patches = 0.1 * world.noise[0] + 0.03 * world.noise[1]
    return round_field(world.tongue + 0.22 * stripes + patches + 0.25 * margin * (world.tongue > 0))


def _stripes(world: Landscape) -> Float64Array:
    """Return medial moraines, (H, W): noise stretched along the flow, a kilometre along and a hundred metres across."""
    table = round_field(np.random.default_rng([world.seed, 2]).standard_normal((64, 64)))
    rows = (world.along_m / 1500 + 7.0 * world.glacier) % 62
    columns = (world.aside_m / 90) % 62
    return round_field(ndimage.map_coordinates(table, [rows, columns], order=3, mode="nearest"))


def _debris(world: Landscape, params: TwinParams, year: int, thickness_m: Float64Array) -> Float64Array:
    """Return the share of each pixel under debris, (H, W) 0-1: the planted area, on the ice that is covered first."""
    order = debris_order(world)
    on_ice = order[thickness_m > 0]
    growth_km2 = params.debris_growth_km2_per_year * (year - DEBRIS_YEAR)
    share = params.debris_fraction + growth_km2 * 1e6 / (max(on_ice.size, 1) * world.pixel_m**2)
    limit = float(np.quantile(on_ice, 1 - min(max(share, 0.0), 0.95)))
    return np.asarray(np.where(thickness_m > 0, ramp(order, limit - DEBRIS_EDGE, limit + DEBRIS_EDGE), 0.0))
