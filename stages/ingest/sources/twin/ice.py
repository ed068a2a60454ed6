"""Ice where the terrain can hold it: shallow-ice flow to a steady state, then glaciers with ids and flow lines.

dH/dt = b + div(D grad S), D = 2 A (rho g)^3 / 5 H^5 |grad S|^2 (Hutter 1983; constants from Cuffey and Paterson 2010),
with a mass balance b that grows with height above the equilibrium line and is small on walls that shed their snow.
The result is the largest extent (of the Little Ice Age, say).
`stages.ingest.sources.twin.change` cuts the years out of it.
"""

from __future__ import annotations

import numpy as np

from stages.common.types import BoolArray, Float64Array
from stages.ingest.sources.twin.fields import blur, finer, round_field

FLOW_PER_M3_YEAR = 4 * 2 * 2.4e-24 * (910 * 9.81) ** 3 / 5 * 3.156e7
"""2 A (rho g)^3 / 5 of temperate ice, in 1 / (m3 year)."""

BALANCE_PER_YEAR = 0.007
"""Metres of ice a year and metre of height (Azam et al. 2018, J. Glaciol. 64: 0.006-0.009 in the western Himalaya)."""

BALANCE_MAX_M = 0.8
"""Accumulation does not grow without end."""

DEBRIS_SHIELD = 0.35
"""Melt at the tongue, as part of the gradient's: debris protects it."""

WALL = 0.75
"""Slope (tangent, 42 degrees) from which snow slides off."""

YEARS, COARSE = 300, 2
"""Years to the steady state, and how much coarser than the terrain they are computed."""

THINNEST_M = 22.0
"""Less is snow and thin ice on slopes, which no inventory counts; taken off everywhere."""

DIFFUSIVITY_MAX, STABLE = 2e5, 0.2
"""Bound in m2 a year, reached by thick ice on steep ground; and the part of spacing^2 / diffusivity a step takes."""


def grow(height_m: Float64Array, spacing_m: float, equilibrium_m: float) -> Float64Array:
    """(H, W) ice thickness in metres on the terrain's nodes at steady state; negative: how far from holding ice."""
    shape = ((height_m.shape[0] + COARSE - 1) // COARSE, (height_m.shape[1] + COARSE - 1) // COARSE)
    bed = finer(height_m, shape, order=1)
    spacing_m = spacing_m * (height_m.shape[0] - 1) / (shape[0] - 1)
    steps = int(YEARS * DIFFUSIVITY_MAX / (STABLE * spacing_m * spacing_m))
    down, across = np.gradient(bed, spacing_m)
    wall = np.asarray(down * down + across * across > WALL * WALL)
    thickness = np.zeros(shape)
    for _ in range(steps):
        gain = balance(bed + thickness, wall, equilibrium_m) + flow(bed, thickness, spacing_m)
        thickness = np.round(np.maximum(thickness + YEARS / steps * gain, 0), 4)
    smooth = blur(finer(thickness, (height_m.shape[0], height_m.shape[1]), order=1), COARSE)
    return round_field(smooth - THINNEST_M)


def balance(surface: Float64Array, wall: BoolArray, equilibrium_m: float) -> Float64Array:
    """(H, W) metres of ice a year."""
    rate = BALANCE_PER_YEAR * (surface - equilibrium_m)
    rate = np.where(rate < 0, rate * DEBRIS_SHIELD, np.minimum(rate, BALANCE_MAX_M))
    return np.where(wall & (rate > 0), -0.5, rate)


def flow(bed: Float64Array, thickness: Float64Array, spacing_m: float) -> Float64Array:
    """(H, W) gain by flow in metres a year; ice leaves the higher of two nodes, and only as much as it has."""
    surface = bed + thickness
    down, across = np.gradient(surface, spacing_m)
    slope2 = np.minimum(down * down + across * across, WALL * WALL)
    gain = np.zeros_like(surface)
    for axis in (0, 1):
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        one, other = tuple(low), tuple(high)
        fall = surface[one] - surface[other]
        deep = np.where(fall > 0, thickness[one], thickness[other])
        deep2 = deep * deep
        diffusivity = FLOW_PER_M3_YEAR * deep2 * deep2 * deep * (slope2[one] + slope2[other]) / 2
        flux = np.minimum(diffusivity, DIFFUSIVITY_MAX) * fall / (spacing_m * spacing_m)
        gain[one] -= flux
        gain[other] += flux
    return gain
