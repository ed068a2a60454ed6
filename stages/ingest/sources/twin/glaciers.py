"""Glaciers: connected ice with an id, a flow line from head to front, and the position of each node along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from stages.common.types import AnyArray, Float64Array
from stages.ingest.sources.twin.fields import round_field
from stages.ingest.sources.twin.terrain import Terrain

SMALLEST_KM2 = 0.3
"""Smaller patches of ice are left out: RGI goes down to 0.01 km2, a generalised outline does not."""

SMOOTH_NODES = 5
"""Nodes of the running mean along a flow line: drainage turns by 45 degrees, ice does not."""


@dataclass(frozen=True, kw_only=True)
class Glacier:
    """One glacier at its largest extent, on the terrain's nodes."""

    index: int
    """Number of the glacier, from 1, the largest first."""
    nodes: AnyArray
    """Flat indices of the glacier's nodes, (N,)."""
    line: Float64Array
    """Row and column of the flow line from the head down to the front, in nodes, (L, 2)."""
    along_m: Float64Array
    """Distance of the line's points from the head, (L,)."""
    thickness_m: Float64Array
    """Thickness of the ice below the line's points, (L,); it never grows towards the front."""

    @property
    def length_m(self) -> float:
        """Length of the flow line."""
        return float(self.along_m[-1])

    def thickness_at(self, along_m: float) -> float:
        """Return the thickness of the largest extent at a distance from the head, in metres; 0 beyond the front."""
        return float(np.interp(along_m, self.along_m, self.thickness_m))


def find_glaciers(terrain: Terrain, thickness_m: Float64Array) -> list[Glacier]:
    """Return the glaciers, the largest first: ice that drains to one front, divided at the ridges."""
    owner = drain_ice(terrain, thickness_m)
    glaciers: list[Glacier] = []
    for front in _by_size(owner):
        nodes = np.flatnonzero(owner == front)
        line = flow_line(terrain, thickness_m.ravel(), nodes)
        if len(line) > SMOOTH_NODES:
            glaciers.append(_glacier(len(glaciers) + 1, nodes, line, terrain, thickness_m))
    return glaciers


def drain_ice(terrain: Terrain, thickness_m: Float64Array) -> AnyArray:
    """Return the front's node to which the ice of each node drains, (N,), -1 where there is no ice.

    Ice of a small drainage area goes to the nearest glacier that it touches, or is dropped where it touches none.
    """
    ice = thickness_m.ravel() > 0
    front = np.arange(ice.size)
    for node in terrain.drainage.order.tolist():
        below = terrain.drainage.receiver[node]
        if ice[node] and ice[below]:
            front[node] = front[below]
    smallest = SMALLEST_KM2 * 1e6 / terrain.spacing_m**2
    large = ice & (np.bincount(front[ice], minlength=ice.size)[front] >= smallest)
    body, _ = ndimage.label(ice.reshape(thickness_m.shape))
    indices = ndimage.distance_transform_edt(~large.reshape(body.shape), return_distances=False, return_indices=True)
    nearest_large = np.ravel_multi_index(tuple(indices), body.shape).ravel()
    same_body = ice & (body.ravel() == body.ravel()[nearest_large]) & large.any()
    return np.where(same_body, front[nearest_large], -1)


def _by_size(owner: AnyArray) -> list[int]:
    fronts, sizes = np.unique(owner[owner >= 0], return_counts=True)
    return [int(front) for front in fronts[np.argsort(-sizes, kind="stable")]]


def flow_line(terrain: Terrain, thickness_m: Float64Array, nodes: AnyArray) -> list[int]:
    """Return the nodes from the head down to the front, along the valley that drains most of the ice.

    The line is built upwards from the front (the last ice along the largest stream), always to the node with most ice
    behind it.
    """
    of_glacier = np.zeros(thickness_m.size)
    of_glacier[nodes] = 1.0
    receiver = terrain.drainage.receiver
    behind = of_glacier.copy()
    for node in terrain.drainage.order[::-1].tolist():
        if receiver[node] != node and of_glacier[node]:
            behind[receiver[node]] += behind[node]
    donors: dict[int, list[int]] = {}
    for node in nodes.tolist():
        if receiver[node] != node:  # the outlet is its own receiver
            donors.setdefault(int(receiver[node]), []).append(node)
    line = [int(nodes[np.argmax(behind[nodes])])]
    while above := donors.get(line[-1]):
        line.append(max(above, key=lambda node: behind[node]))
    return line[::-1]


def _glacier(index: int, nodes: AnyArray, line: list[int], terrain: Terrain, thickness_m: Float64Array) -> Glacier:
    columns = terrain.height_m.shape[1]
    points = np.column_stack(np.divmod(np.array(line), columns)).astype(float)
    smooth = ndimage.uniform_filter1d(points, SMOOTH_NODES, axis=0, mode="nearest")
    steps = np.sqrt((np.diff(smooth, axis=0) ** 2).sum(axis=1)) * terrain.spacing_m
    depth_m = ndimage.map_coordinates(thickness_m, smooth.T, order=1)
    falling = np.maximum.accumulate(depth_m[::-1])[::-1]
    falling[-1] = 0.0
    return Glacier(
        index=index,
        nodes=nodes,
        line=smooth,
        along_m=round_field(np.concatenate([[0.0], np.cumsum(steps)])),
        thickness_m=round_field(falling),
    )


def flow_line_position(glacier: Glacier, shape: tuple[int, int]) -> tuple[Float64Array, Float64Array]:
    """Return how far along the flow line, and how far from it, the glacier's nodes lie.

    Returns
    -------
    along_m, aside
        For each of `glacier.nodes`, (N,): the distance from the head of the line's nearest point, in metres, and the
        distance to that point, in nodes.
    """
    positions = np.column_stack(np.divmod(glacier.nodes, shape[1])).astype(float)
    aside, nearest = cKDTree(glacier.line).query(positions)
    return glacier.along_m[nearest], round_field(aside)
