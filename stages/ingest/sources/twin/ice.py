"""Ice where the terrain can hold it: shallow-ice flow to a steady state.

dH/dt = b + div(D grad S), D = 2 A (rho g)^3 / 5 H^5 |grad S|^2 (Hutter 1983; constants from Cuffey and Paterson 2010),
with a mass balance b that grows with height above the equilibrium line and is small on walls that shed their snow.
The result is the largest extent, as of the Little Ice Age;
`stages.ingest.sources.twin.change` cuts the years out of it.
"""

from __future__ import annotations

import numpy as np

from stages.common.types import BoolArray, Float64Array
from stages.ingest.sources.twin.fields import blur, interpolate, round_field

FLOW_PER_M3_YEAR = 4 * 2 * 2.4e-24 * (910 * 9.81) ** 3 / 5 * 3.156e7
"""2 A (rho g)^3 / 5 of temperate ice, in 1 / (m3 year)."""

BALANCE_PER_YEAR = 0.007
"""Metres of ice per year and metre of height (Azam et al. 2018, J. Glaciol. 64: 0.006-0.009, western Himalaya)."""

BALANCE_MAX_M = 0.8
"""Largest accumulation in metres of ice per year: it does not grow without end."""

DEBRIS_SHIELD = 0.35
"""Melt below the equilibrium line as a share of what the gradient gives: debris protects the ice."""

WALL = 0.75
"""Slope (tangent, 42 degrees) from which snow slides off."""

YEARS, COARSE = 300, 2
"""Years to the steady state, and how many times coarser than the terrain's the nodes are on which they are computed."""

THINNEST_M = 22.0
"""Thickness that is subtracted everywhere: thinner ice is snow and thin ice on slopes, which no inventory counts."""

DIFFUSIVITY_MAX, STABLE = 2e5, 0.2
"""Largest diffusivity in m2 per year, reached by thick ice on steep ground; and the length of a time step as a share
of spacing^2 / diffusivity."""


def grow_ice(height_m: Float64Array, spacing_m: float, equilibrium_m: float) -> Float64Array:
    """Return the ice thickness at steady state on the terrain's nodes, (H, W) in metres.

    Where it is negative there is no ice; the value says how much is lacking.
    """
    shape = ((height_m.shape[0] + COARSE - 1) // COARSE, (height_m.shape[1] + COARSE - 1) // COARSE)
    bed = interpolate(height_m, shape, order=1)
    spacing_m = spacing_m * (height_m.shape[0] - 1) / (shape[0] - 1)
    steps = int(YEARS * DIFFUSIVITY_MAX / (STABLE * spacing_m * spacing_m))
    down, across = np.gradient(bed, spacing_m)
    wall = np.asarray(down * down + across * across > WALL * WALL)
    thickness = np.zeros(shape)
    for _ in range(steps):
        gain = balance(bed + thickness, wall, equilibrium_m) + flow(bed, thickness, spacing_m)
        thickness = np.round(np.maximum(thickness + YEARS / steps * gain, 0), 4)
    smooth = blur(interpolate(thickness, (height_m.shape[0], height_m.shape[1]), order=1), COARSE)
    return round_field(smooth - THINNEST_M)


def balance(surface: Float64Array, wall: BoolArray, equilibrium_m: float) -> Float64Array:
    """Return the mass balance in metres of ice per year, (H, W)."""
    rate = BALANCE_PER_YEAR * (surface - equilibrium_m)
    rate = np.where(rate < 0, rate * DEBRIS_SHIELD, np.minimum(rate, BALANCE_MAX_M))
    return np.where(wall & (rate > 0), -0.5, rate)


def flow(bed: Float64Array, thickness: Float64Array, spacing_m: float) -> Float64Array:
    """Return the gain by flow in metres of ice per year, (H, W).

    Ice leaves the higher of two neighbouring nodes, and only as much of it as that node has.
    """
    surface = bed + thickness
    down, across = np.gradient(surface, spacing_m)
    slope2 = np.minimum(down * down + across * across, WALL * WALL)
    gain = np.zeros_like(surface)
    for axis in (0, 1):
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        first, second = tuple(low), tuple(high)
        fall = surface[first] - surface[second]
        depth = np.where(fall > 0, thickness[first], thickness[second])
        depth2 = depth * depth
        diffusivity = FLOW_PER_M3_YEAR * depth2 * depth2 * depth * (slope2[first] + slope2[second]) / 2
        flux = np.minimum(diffusivity, DIFFUSIVITY_MAX) * fall / (spacing_m * spacing_m)
        gain[first] -= flux
        gain[second] += flux
    return gain
