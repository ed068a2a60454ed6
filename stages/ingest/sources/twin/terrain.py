"""A mountain range that rivers have cut: valleys join, ridges divide, one trunk drains to the west.

Stream-power erosion at steady state: slope = c / sqrt(drainage area) along the drainage tree (uplift balanced by
incision E = K A^0.5 S; Whipple and Tucker, 1999, J. Geophys. Res. 104), at most the angle of repose. The tree follows
from the relief and the relief from the tree, so both are found by turns.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from stages.common.types import AnyArray, Float64Array
from stages.ingest.sources.twin.fields import blur, fractal, round_field

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))

TURNS = 14
"""Beyond it the valleys hardly move."""

OUTLET = (0.35, 0.65)
"""Part of the western edge that is base level."""

STEEPEST = 0.85
"""Slope of bare rock walls, as a tangent (40 degrees), before the relief is scaled."""

LOWEST_M, HIGHEST_M = 3900.0, 7000.0
"""Gangotri: snout at 3,950 m, Chaukhamba at 7,138 m (Bhattacharya et al. 2016, J. Glaciol. 62)."""

RELIEF_PER_WIDTH = 0.17
"""A smaller piece of a range has less relief: 3,100 m over 18 km."""

CHANNEL_KM2 = 1.0
"""Drainage area from which a valley is wide enough to hold a glacier's trough."""


@dataclass(frozen=True, kw_only=True)
class Drainage:
    """Where water goes on the coarse nodes."""

    receiver: AnyArray
    """(N,) flat index of the node downstream; its own at the outlet."""
    order: AnyArray
    """(N,) flat indices from the outlet upwards: a receiver stands before its donors."""
    area_km2: Float64Array
    """(N,) drained through each node."""


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """Bedrock on coarse nodes."""

    height_m: Float64Array
    """(H, W)"""
    drainage: Drainage
    spacing_m: float


def make_terrain(rng: np.random.Generator, shape: tuple[int, int], spacing_m: float) -> Terrain:
    """Erode a rough plain until its valleys stand still."""
    rough = fractal(rng, shape, pixel_m=spacing_m, longest_m=4000, roughness=1)
    resistance = 1 + 0.25 * ramp_of(fractal(rng, shape, pixel_m=spacing_m, longest_m=6000))
    tilt = np.linspace(0, 1, shape[1])[None, :] * spacing_m * shape[1] * 0.05
    height = rough * 60 + tilt
    for _ in range(TURNS):
        drainage = drain(height, spacing_m)
        height = 0.3 * height + 0.7 * steady(drainage, resistance, shape, spacing_m)
        height = height + 4 * fractal(rng, shape, pixel_m=spacing_m, longest_m=800, roughness=1)
    width_m = min(shape) * spacing_m
    highest_m = min(HIGHEST_M, LOWEST_M + RELIEF_PER_WIDTH * width_m)
    height = trough(height, drain(height, spacing_m), spacing_m)
    height = LOWEST_M + (highest_m - LOWEST_M) * (height - height.min()) / (height.max() - height.min())
    height = round_field(blur(height, 0.5))
    return Terrain(height_m=height, drainage=drain(height, spacing_m), spacing_m=spacing_m)


def ramp_of(field: AnyArray) -> Float64Array:
    """`field` squeezed into -1 to 1 without transcendental functions."""
    return np.asarray(field / np.sqrt(1 + field * field))


def drain(height: Float64Array, spacing_m: float) -> Drainage:
    """Drainage by priority flood from the outlet: no pit keeps its water (Barnes et al. 2014, Comput. Geosci. 62)."""
    rows, columns = height.shape
    level = height.ravel().tolist()
    receiver = [-1] * len(level)
    first, last = (int(part * rows) for part in OUTLET)
    heap = [(level[row * columns], row * columns) for row in range(first, last)]
    for _, node in heap:
        receiver[node] = node
    heapq.heapify(heap)
    order: list[int] = []
    while heap:
        water, node = heapq.heappop(heap)
        order.append(node)
        row, column = divmod(node, columns)
        for down, right in NEIGHBOURS:
            if 0 <= row + down < rows and 0 <= column + right < columns:
                other = node + down * columns + right
                if receiver[other] < 0:
                    receiver[other] = node
                    heapq.heappush(heap, (max(level[other], water), other))
    return Drainage(
        receiver=np.array(receiver),
        order=np.array(order),
        area_km2=_gather(receiver, order, spacing_m * spacing_m / 1e6),
    )


def _gather(receiver: list[int], order: list[int], cell_km2: float) -> Float64Array:
    area = [cell_km2] * len(order)
    for node in reversed(order):
        if receiver[node] != node:
            area[receiver[node]] += area[node]
    return np.array(area)


def steady(drainage: Drainage, resistance: AnyArray, shape: tuple[int, int], spacing_m: float) -> Float64Array:
    """(H, W) heights at which uplift and incision balance; the outlet is 0."""
    columns = shape[1]
    slope = np.minimum(0.4 * resistance.ravel() / np.sqrt(drainage.area_km2), STEEPEST)
    diagonal = (np.abs(drainage.receiver - np.arange(slope.size)) % columns) % (columns - 2) != 0
    step = slope * spacing_m * np.where(diagonal, np.sqrt(2.0), 1.0)
    rise, height, receiver = step.tolist(), [0.0] * slope.size, drainage.receiver.tolist()
    for node in drainage.order.tolist():
        below = receiver[node]
        height[node] = height[below] + (rise[node] if below != node else 0.0)
    return np.array(height).reshape(shape)


def trough(height: Float64Array, drainage: Drainage, spacing_m: float) -> Float64Array:
    """Widen valleys to the U shape that ice leaves: a floor whose width grows with the drained area."""
    area = drainage.area_km2.reshape(height.shape)
    channel = area >= CHANNEL_KM2
    away, nearest = ndimage.distance_transform_edt(~channel, sampling=spacing_m, return_indices=True)
    floor, drained = height[tuple(nearest)], area[tuple(nearest)]
    half_width_m = 200 * np.sqrt(np.sqrt(drained))
    relative = away / half_width_m
    wall = floor + 0.35 * half_width_m * relative * relative * relative
    return np.asarray(np.minimum(height, np.maximum(wall, floor)))
