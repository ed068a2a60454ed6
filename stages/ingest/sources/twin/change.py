"""A year's ice, cut out of the largest extent so that each snout stands exactly where the parameters want it.

The surface sinks by T(x, t) = H(L(t)) w(x / L(t)): H is the thickness below the flow line at the largest extent, L(t)
the length that year, and w falls from 1 at the snout to a little upstream. At the snout nothing is left, above it the
margins melt back.
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
"""Of the outlines, as of most of RGI in High Mountain Asia."""

ROOM_TO_ADVANCE = 0.06
"""Part of the largest length that is free in the year of the outlines."""

SHORTEST = 0.4
"""A glacier shorter than this part of its largest length is another glacier."""

THINNING_UPSTREAM = 0.08
"""Thinning at the head as part of that at the snout."""

DEBRIS_YEAR = 2016
"""Year of `TwinParams.debris_fraction`."""

DEBRIS_EDGE = 0.07
"""Half the width of the transition from clean ice to debris, in units of `debris_order`."""


@dataclass(frozen=True, kw_only=True)
class Ice:
    """A year's ice on the pixels."""

    year: int
    thickness_m: Float64Array
    """(H, W), 0 where there is none."""
    debris: Float64Array
    """(H, W) 0-1: covered part of the ice's surface; 0 off ice."""

    @property
    def mask(self) -> BoolArray:
        """(H, W): glacier."""
        return self.thickness_m > 0

    @property
    def debris_mask(self) -> BoolArray:
        """(H, W): ice more than half covered."""
        return self.debris > 0.5


def length_m(glacier: Glacier, main: Glacier, params: TwinParams, year: int) -> float:
    """Length of a glacier's flow line in a year, from head to snout; smaller glaciers change in proportion.

    Raises
    ------
    ParamsError
        The glacier would be almost gone, or longer than the ice ever was.
    """
    share = glacier.length_m / main.length_m
    length = glacier.length_m * (1 - ROOM_TO_ADVANCE) - share * params.retreat_m_per_year * (year - OUTLINE_YEAR)
    if not SHORTEST * glacier.length_m <= length <= glacier.length_m:
        lowest, highest = (round(part * main.length_m) for part in (SHORTEST, 1.0))
        raise ParamsError(
            "the simulated glaciers cannot change so much",
            where="params.yaml: ingest.twin.retreat_m_per_year",
            expected=f"a main glacier of {lowest} to {highest} m",
            found=f"{length / share:.0f} m in {year}",
            fix=f"take a smaller rate, or years nearer to {OUTLINE_YEAR}",
        )
    return float(length)


def thickness(world: Landscape, params: TwinParams, year: int) -> Float64Array:
    """(H, W) ice thickness in metres; 0 where there is no ice."""
    main = world.glaciers[0]
    sunk = [
        _thinning(glacier, along_m, length_m(glacier, main, params, year))
        for glacier, along_m in zip(world.glaciers, world.along_nodes_m, strict=True)
    ]
    return np.maximum(round_field(world.potential_m - world.by_glacier(sunk)), 0.0)


def _thinning(glacier: Glacier, along_m: AnyArray, length: float) -> Float64Array:
    part = np.minimum(along_m / length, 1.0)
    falling = part * part * part * part
    return np.asarray(glacier.thickness_at(length) * (THINNING_UPSTREAM + (1 - THINNING_UPSTREAM) * falling))


def ice_of(world: Landscape, params: TwinParams, year: int) -> Ice:
    """Ice and debris of a year."""
    deep = thickness(world, params, year)
    return Ice(year=year, thickness_m=deep, debris=_debris(world, params, year, deep))


def debris_order(world: Landscape) -> Float64Array:
    """(H, W): where debris comes first, higher is earlier: low on the tongue, in stripes along the flow, at margins."""
    stripes = _stripes(world)
    margin = 1 - ramp(world.potential_m, 10, 70)
    patches = 0.1 * world.noise[0] + 0.03 * world.noise[1]
    return round_field(world.tongue + 0.22 * stripes + patches + 0.25 * margin * (world.tongue > 0))


def _stripes(world: Landscape) -> Float64Array:
    """(H, W): medial moraines, noise drawn out along the flow: a kilometre along, a hundred metres across."""
    table = round_field(np.random.default_rng([world.seed, 2]).standard_normal((64, 64)))
    rows = (world.along_m / 1500 + 7.0 * world.glacier) % 62
    columns = (world.aside_m / 90) % 62
    return round_field(ndimage.map_coordinates(table, [rows, columns], order=3, mode="nearest"))


def _debris(world: Landscape, params: TwinParams, year: int, deep: Float64Array) -> Float64Array:
    """(H, W) 0-1: the planted debris area, on the ice that has it first."""
    order = debris_order(world)
    on_ice = order[deep > 0]
    growth_km2 = params.debris_growth_km2_per_year * (year - DEBRIS_YEAR)
    share = params.debris_fraction + growth_km2 * 1e6 / (max(on_ice.size, 1) * world.pixel_m**2)
    limit = float(np.quantile(on_ice, 1 - min(max(share, 0.0), 0.95)))
    return np.asarray(np.where(deep > 0, ramp(order, limit - DEBRIS_EDGE, limit + DEBRIS_EDGE), 0.0))
