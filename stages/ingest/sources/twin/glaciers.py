"""Glaciers: connected ice with an id, a flow line from head to snout, and how far along it each pixel lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from stages.common.types import AnyArray, Float64Array
from stages.ingest.sources.twin.fields import round_field
from stages.ingest.sources.twin.terrain import Terrain

SMALLEST_KM2 = 0.3
"""Smaller patches of ice are left away; RGI goes down to 0.01 km2, a generalised outline does not."""

SMOOTH_NODES = 5
"""Running mean along a flow line: drainage turns by 45 degrees, ice does not."""


@dataclass(frozen=True, kw_only=True)
class Glacier:
    """One glacier at its largest extent, on the terrain's nodes."""

    index: int
    """From 1, the largest first."""
    nodes: AnyArray
    """(N,) flat indices of its nodes."""
    line: Float64Array
    """(L, 2) row and column of the flow line from the head down to the snout, in nodes."""
    along_m: Float64Array
    """(L,) distance from the head."""
    thickness_m: Float64Array
    """(L,) of the ice below the line, made to fall towards the snout."""

    @property
    def length_m(self) -> float:
        """Of the flow line."""
        return float(self.along_m[-1])

    def thickness_at(self, along_m: float) -> float:
        """Thickness of the largest extent at a distance from the head, in metres; 0 beyond the snout."""
        return float(np.interp(along_m, self.along_m, self.thickness_m))


def find(terrain: Terrain, thickness_m: Float64Array) -> list[Glacier]:
    """Glaciers, the largest first: the ice that leaves by one snout, divided at the ridges."""
    owner = divide(terrain, thickness_m)
    found: list[Glacier] = []
    for snout in _by_size(owner):
        nodes = np.flatnonzero(owner == snout)
        line = flow_line(terrain, thickness_m.ravel(), nodes)
        if len(line) > SMOOTH_NODES:
            found.append(_glacier(len(found) + 1, nodes, line, terrain, thickness_m))
    return found


def divide(terrain: Terrain, thickness_m: Float64Array) -> AnyArray:
    """(N,) node of the snout by which each node's ice drains, -1 where there is none.

    Ice whose own way out is small goes to the nearest glacier that it touches, or is dropped where it touches none.
    """
    ice = thickness_m.ravel() > 0
    snout = np.arange(ice.size)
    for node in terrain.drainage.order.tolist():
        below = terrain.drainage.receiver[node]
        if ice[node] and ice[below]:
            snout[node] = snout[below]
    smallest = SMALLEST_KM2 * 1e6 / terrain.spacing_m**2
    large = ice & (np.bincount(snout[ice], minlength=ice.size)[snout] >= smallest)
    body, _ = ndimage.label(ice.reshape(thickness_m.shape))
    nearest = ndimage.distance_transform_edt(~large.reshape(body.shape), return_distances=False, return_indices=True)
    takes = np.ravel_multi_index(tuple(nearest), body.shape).ravel()
    same_body = ice & (body.ravel() == body.ravel()[takes]) & large.any()
    return np.where(same_body, snout[takes], -1)


def _by_size(owner: AnyArray) -> list[int]:
    snouts, sizes = np.unique(owner[owner >= 0], return_counts=True)
    return [int(snout) for snout in snouts[np.argsort(-sizes, kind="stable")]]


def flow_line(terrain: Terrain, thickness_m: Float64Array, nodes: AnyArray) -> list[int]:
    """Nodes from the head down to the snout, along the valley that drains most of the ice.

    From the snout (the last ice on the way of the largest stream) upwards, always to the donor with most ice behind it.
    """
    own = np.zeros(thickness_m.size)
    own[nodes] = 1.0
    receiver = terrain.drainage.receiver
    behind = own.copy()
    for node in terrain.drainage.order[::-1].tolist():
        if receiver[node] != node and own[node]:
            behind[receiver[node]] += behind[node]
    donors: dict[int, list[int]] = {}
    for node in nodes.tolist():
        if receiver[node] != node:  # the outlet is its own
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
    deep = ndimage.map_coordinates(thickness_m, smooth.T, order=1)
    falling = np.maximum.accumulate(deep[::-1])[::-1]
    falling[-1] = 0.0
    return Glacier(
        index=index,
        nodes=nodes,
        line=smooth,
        along_m=round_field(np.concatenate([[0.0], np.cumsum(steps)])),
        thickness_m=round_field(falling),
    )


def position(glacier: Glacier, shape: tuple[int, int]) -> tuple[Float64Array, Float64Array]:
    """Distance from the head and from the flow line, in nodes of the terrain, metres and nodes.

    Returns
    -------
    along_m, aside
        (N,) each, for `glacier.nodes`: metres along the line of its nearest point, and the distance to it in nodes.
    """
    places = np.column_stack(np.divmod(glacier.nodes, shape[1])).astype(float)
    aside, nearest = cKDTree(glacier.line).query(places)
    return glacier.along_m[nearest], round_field(aside)
