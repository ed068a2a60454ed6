"""Outlines and lines of the map: simplified, in whole metres, each point as its step from the last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from stages.common.geo.grid import Grid

BYTES_MAX = 1_500_000
"""Length of all outlines as text."""
BYTES_A_POINT = 7
"""Two steps with a sign, two digits and a comma each, roughly."""
SIMPLIFY_M = 10.0
"""How far a simplified line may lie from the line itself; doubled until all outlines fit."""

Ring = list[int]
"""East and north of the first point, then steps: ``[x, y, dx, dy, dx, dy, ...]``; the last point is not repeated."""


def tolerance_of(geometries: Iterable[Any]) -> float:
    """Return the tolerance (m) at which all outlines fit into `BYTES_MAX`."""
    import shapely

    shapes, tolerance = np.array(list(geometries), dtype=object), SIMPLIFY_M
    while True:
        points = int(shapely.get_num_coordinates(shapely.simplify(shapes, tolerance)).sum())
        if points * BYTES_A_POINT <= BYTES_MAX:
            return tolerance
        tolerance *= 2


def polygons(geometry: Any, grid: Grid, tolerance_m: float) -> list[list[Ring]]:
    """Return the polygons of a geometry, each as its outer ring and its holes; small ones vanish."""
    import shapely

    if geometry is None:
        return []
    parts = shapely.get_parts(shapely.simplify(geometry, tolerance_m))
    return [
        [steps(ring, grid)[:-2] for ring in (part.exterior, *part.interiors)]
        for part in parts
        if part.geom_type == "Polygon" and not part.is_empty
    ]


def outlines(frame: Any, grid: Grid, tolerance_m: float) -> list[list[Any]]:
    """Return RGI id and `polygons` of each outline of a GeoDataFrame."""
    return [[row.rgi_id, polygons(row.geometry, grid, tolerance_m)] for row in frame.itertuples()]


def steps(line: Any, grid: Grid) -> Ring:
    """Return a line's first point and the steps to each next one, in metres from the grid's lower left corner."""
    left, bottom, *_ = grid.bounds
    points = np.round(np.asarray(line.coords)[:, :2] - (left, bottom)).astype(int)
    return [int(value) for value in np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=int)).ravel()]
