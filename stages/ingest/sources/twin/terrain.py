"""A mountain range that rivers have cut: valleys join, ridges divide, one trunk drains to the west.

Stream-power erosion at steady state: slope = c / sqrt(drainage area) along the drainage tree (uplift balanced by
incision E = K A^0.5 S; Whipple and Tucker, 1999, J. Geophys. Res. 104), at most the angle of repose. The tree follows
from the relief and the relief from the tree, so both are computed in turn.
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
"""Rounds of erosion; after these the valleys hardly move."""

OUTLET = (0.35, 0.65)
"""Part of the western edge, from top to bottom, that is the outlet."""

STEEPEST = 0.85
"""Slope of bare rock walls, as a tangent (40 degrees), before the relief is scaled."""

LOWEST_M, HIGHEST_M = 3900.0, 7000.0
"""Lowest, highest ground: Gangotri front 3,950 m, Chaukhamba 7,138 m (Bhattacharya et al. 2016, J. Glaciol. 62)."""

RELIEF_PER_WIDTH = 0.17
"""Relief per width of the world: a smaller part of a range has less, and 18 km have 3,100 m."""

CHANNEL_KM2 = 1.0
"""Drainage area from which a valley is wide enough to hold a glacier's trough."""


@dataclass(frozen=True, kw_only=True)
class Drainage:
    """Flow of water between the coarse nodes."""

    receiver: AnyArray
    """Flat index of the node downstream, (N,); the node itself at the outlet."""
    order: AnyArray
    """Flat indices from the outlet upwards, (N,): a node stands before those that drain into it."""
    area_km2: Float64Array
    """Area that drains through each node, (N,)."""


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """Bedrock on coarse nodes."""

    height_m: Float64Array
    """Height of the nodes, (H, W)."""
    drainage: Drainage
    spacing_m: float


def make_terrain(rng: np.random.Generator, shape: tuple[int, int], spacing_m: float) -> Terrain:
    """Erode a rough plain until its valleys hardly change."""
    rough = fractal(rng, shape, pixel_m=spacing_m, longest_m=4000, roughness=1)
    resistance = 1 + 0.25 * ramp_of(fractal(rng, shape, pixel_m=spacing_m, longest_m=6000))
    tilt = np.linspace(0, 1, shape[1])[None, :] * spacing_m * shape[1] * 0.05
    height = rough * 60 + tilt
    for _ in range(TURNS):
        drainage = drain(height, spacing_m)
        height = 0.3 * height + 0.7 * steady_heights(drainage, resistance, shape, spacing_m)
        height = height + 4 * fractal(rng, shape, pixel_m=spacing_m, longest_m=800, roughness=1)
    width_m = min(shape) * spacing_m
    highest_m = min(HIGHEST_M, LOWEST_M + RELIEF_PER_WIDTH * width_m)
    height = widen_valleys(height, drain(height, spacing_m), spacing_m)
    height = LOWEST_M + (highest_m - LOWEST_M) * (height - height.min()) / (height.max() - height.min())
    height = round_field(blur(height, 0.5))
    return Terrain(height_m=height, drainage=drain(height, spacing_m), spacing_m=spacing_m)


def ramp_of(field: AnyArray) -> Float64Array:
    """Return `field` compressed into -1 to 1 without transcendental functions."""
    return np.asarray(field / np.sqrt(1 + field * field))


def drain(height: Float64Array, spacing_m: float) -> Drainage:
    """Return the drainage by priority flood from the outlet: no pit holds water.

    Method of Barnes et al. 2014, Comput. Geosci. 62.
    """
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
                neighbour = node + down * columns + right
                if receiver[neighbour] < 0:
                    receiver[neighbour] = node
                    heapq.heappush(heap, (max(level[neighbour], water), neighbour))
    return Drainage(
        receiver=np.array(receiver),
        order=np.array(order),
        area_km2=_drained_area_km2(receiver, order, spacing_m * spacing_m / 1e6),
    )


def _drained_area_km2(receiver: list[int], order: list[int], cell_km2: float) -> Float64Array:
    area = [cell_km2] * len(order)
    for node in reversed(order):
        if receiver[node] != node:
            area[receiver[node]] += area[node]
    return np.array(area)


def steady_heights(drainage: Drainage, resistance: AnyArray, shape: tuple[int, int], spacing_m: float) -> Float64Array:
    """Return the heights at which uplift and incision balance, (H, W); the outlet is at 0."""
    columns = shape[1]
    slope = np.minimum(0.4 * resistance.ravel() / np.sqrt(drainage.area_km2), STEEPEST)
    diagonal = (np.abs(drainage.receiver - np.arange(slope.size)) % columns) % (columns - 2) != 0
    step = slope * spacing_m * np.where(diagonal, np.sqrt(2.0), 1.0)
    rise, height, receiver = step.tolist(), [0.0] * slope.size, drainage.receiver.tolist()
    for node in drainage.order.tolist():
        below = receiver[node]
        height[node] = height[below] + (rise[node] if below != node else 0.0)
    return np.array(height).reshape(shape)


def widen_valleys(height: Float64Array, drainage: Drainage, spacing_m: float) -> Float64Array:
    """Return the heights with valleys widened to the U shape that ice leaves; wide where much area drains."""
    area = drainage.area_km2.reshape(height.shape)
    channel = area >= CHANNEL_KM2
    away, nearest = ndimage.distance_transform_edt(~channel, sampling=spacing_m, return_indices=True)
    floor, drained = height[tuple(nearest)], area[tuple(nearest)]
    half_width_m = 200 * np.sqrt(np.sqrt(drained))
    relative = away / half_width_m
    wall = floor + 0.35 * half_width_m * relative * relative * relative
    return np.asarray(np.minimum(height, np.maximum(wall, floor)))
