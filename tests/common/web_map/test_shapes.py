"""Outlines of the map: simplified, in steps of whole metres from the grid's lower left corner."""

from __future__ import annotations

import numpy as np
import shapely
from pytest import MonkeyPatch

from stages.common.web_map import shapes
from tests.report.report_inputs import GRID

LEFT, BOTTOM, *_ = GRID.bounds


def points(steps: list[int]) -> list[tuple[int, int]]:
    """Points as the script adds them up."""
    return [(int(x), int(y)) for x, y in np.cumsum(np.reshape(steps, (-1, 2)), axis=0)]


def test_a_line_is_its_first_point_and_steps() -> None:
    line = shapely.LineString([(LEFT + 10.4, BOTTOM + 20), (LEFT + 110, BOTTOM + 20), (LEFT + 110, BOTTOM - 30)])
    assert shapes.steps(line, GRID) == [10, 20, 100, 0, 0, -50]


def test_a_polygon_keeps_its_hole_and_loses_what_is_within_the_tolerance() -> None:
    outer = [(0, 0), (500, 4), (1000, 0), (1000, 1000), (0, 1000)]
    hole = [(400, 400), (600, 400), (600, 600), (400, 600)]
    shape = shapely.affinity.translate(shapely.Polygon(outer, [hole]), LEFT, BOTTOM)
    (rings,) = shapes.polygons(shapely.MultiPolygon([shape]), GRID, 10)
    assert [len(points(ring)) for ring in rings] == [4, 4]
    assert set(points(rings[0])) == {(0, 0), (1000, 0), (1000, 1000), (0, 1000)}
    assert shapes.polygons(shapely.MultiPolygon(), GRID, 10) == []


def test_outlines_that_are_too_many_are_simplified_more(monkeypatch: MonkeyPatch) -> None:
    circle = shapely.Point(0, 0).buffer(5000, quad_segs=500)
    assert shapes.tolerance_of([circle]) == shapes.SIMPLIFY_M
    monkeypatch.setattr(shapes, "BYTES_MAX", 30 * shapes.BYTES_A_POINT)
    tolerance = shapes.tolerance_of([circle])
    assert tolerance > shapes.SIMPLIFY_M
    assert len(shapely.simplify(circle, tolerance).exterior.coords) <= 30
