"""How far the boundaries of two maps lie apart, from the pixels on them alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.common.geo.rows import strips
from stages.common.types import Float64Array, IntArray, Rows
from stages.evaluate.nearest import distances_px
from stages.evaluate.planes import ROWS_AT_ONCE, values_at


@dataclass(frozen=True)
class Edge:
    """Pixels on one boundary, and how far each is from the other boundary; arrays are (N,), in the order of rows."""

    rows: IntArray
    columns: IntArray
    distance_px: Float64Array


@dataclass(frozen=True)
class Boundaries:
    """The boundary of a map and that of the labels, where they are measured; neither where one of them is empty."""

    edges: tuple[Edge, ...]

    def mean_distances_m(self, zone: Rows, pixel_m: float, *, count: int) -> list[float | None]:
        """Return the mean distance in metres, both ways, of each of `count` zones; None where one has no pixel there.

        `zone` is (H, W), -1 outside all zones.
        """
        if not self.edges:
            return [None] * count
        first, second = (_mean_by_zone(edge, zone, count) for edge in self.edges)
        means = (first + second) / 2 * pixel_m
        return [float(mean) if np.isfinite(mean) else None for mean in means]


def measure_boundaries(mapped: Rows, truth: Rows, within: Rows) -> Boundaries:
    """Measure the boundary of a map and that of the labels, all (H, W) bool.

    The boundaries of the whole maps are measured against, those `within` a region are measured.
    """
    edges = [boundary_pixels(mask) for mask in (mapped, truth)]
    if not all(len(rows) for rows, _ in edges):
        return Boundaries(())
    measured = []
    for edge, other in (edges, reversed(edges)):
        inside = values_at(within, *edge)
        rows, columns = edge[0][inside], edge[1][inside]
        measured.append(Edge(rows, columns, distances_px((rows, columns), other)))
    return Boundaries(tuple(measured))


def boundary_pixels(mask: Rows) -> tuple[IntArray, IntArray]:
    """Return rows and columns, each (N,), of the glacier pixels with a neighbour (of four) that is background.

    The edge of the map is not a boundary. They are in the order of rows.
    """
    found = []
    for rows in strips(mask.shape[0], ROWS_AT_ONCE):
        above, below = int(rows.start == 0), int(rows.stop == mask.shape[0])
        about = mask[max(rows.start - 1, 0) : rows.stop + 1]
        about = np.pad(about, ((above, below), (1, 1)), constant_values=True)
        inner = about[:-2, 1:-1] & about[2:, 1:-1] & about[1:-1, :-2] & about[1:-1, 2:]
        row, column = np.nonzero(about[1:-1, 1:-1] & ~inner)
        found.append(np.stack((row + rows.start, column)).astype(np.int32))
    both = np.concatenate(found, axis=1)
    return both[0], both[1]


def _mean_by_zone(edge: Edge, zone: Rows, count: int) -> Float64Array:
    """Return the mean distance of the pixels of an edge in each zone, in pixels; NaN without any."""
    zones = values_at(zone, edge.rows, edge.columns)
    inside = zones >= 0
    sums = np.bincount(zones[inside], weights=edge.distance_px[inside], minlength=count)
    pixels = np.bincount(zones[inside], minlength=count)
    return np.asarray(np.divide(sums, pixels, out=np.full(count, np.nan), where=pixels > 0))
