"""A front is drawn where the table says it is, square to the flow line."""

from __future__ import annotations

import math

import pytest
import shapely

from stages.area.fronts.geometry import across_line

BENT = shapely.LineString([(0, 0), (0, -1000), (1000, -1000)])


def test_a_front_is_drawn_at_its_distance_from_the_head_square_to_the_line() -> None:
    front = across_line(BENT, 400.0, width_m=300.0)
    assert [tuple(point) for point in front.coords] == [(150.0, -400.0), (-150.0, -400.0)]


def test_after_a_bend_the_front_turns_with_the_line() -> None:
    front = across_line(BENT, 1600.0, width_m=100.0)
    assert [tuple(point) for point in front.coords] == [(600.0, -950.0), (600.0, -1050.0)]


@pytest.mark.parametrize("at_m", [0.0, 2000.0])
def test_a_front_at_the_end_of_the_line_is_drawn_there(at_m: float) -> None:
    front = across_line(BENT, at_m, width_m=80.0)
    assert front.length == pytest.approx(80)
    assert front.centroid.distance(BENT.interpolate(at_m)) == pytest.approx(0, abs=1e-9)


def test_in_a_bend_the_front_halves_the_angle() -> None:
    (x0, y0), (x1, y1) = across_line(BENT, 1000.0, width_m=10.0).coords
    assert math.degrees(math.atan2(y0 - y1, x0 - x1)) == pytest.approx(45)
