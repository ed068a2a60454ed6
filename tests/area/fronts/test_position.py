"""The front of made-up tongues, whose true position is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from shapely import LineString, Polygon, affinity

from sandbox import tiny
from stages.area.fronts.position import (
    beyond,
    filled,
    front_m,
    lanes_about,
    locate_front,
    points_along,
    reached,
    strip_about,
)
from stages.common.geo.grid import Grid

PX = 10.0
GRID = Grid(crs=tiny.CRS, transform=Affine(PX, 0, 0, 0, -PX, 2000), height=200, width=200)
CENTRE = (1000.0, 1000.0)
HEAD_M = 800.0
"""The line starts this far before the centre and ends as far behind it."""

ALL_OBSERVED = np.ones(GRID.shape, dtype=bool)


def tongue(length_m: float, *, angle_deg: float = 0.0, width_m: float = 400.0, bulge_m: float = 0.0) -> np.ndarray:
    """Ice that flows east, turned by an angle, with its front `length_m` from the line's head."""
    left, front = CENTRE[0] - HEAD_M, CENTRE[0] - HEAD_M + length_m
    half = width_m / 2
    across = np.linspace(-half, half, 41)
    nose = [(front - bulge_m * (y / half) ** 2, CENTRE[1] + y) for y in across]
    shape = Polygon([(left, CENTRE[1] - half), *nose, (left, CENTRE[1] + half)])
    turned = affinity.rotate(shape, angle_deg, origin=CENTRE)
    return rasterize([turned], out_shape=GRID.shape, transform=GRID.transform, dtype="uint8") == 1


def line(angle_deg: float = 0.0) -> LineString:
    straight = LineString([(CENTRE[0] - HEAD_M, CENTRE[1]), (CENTRE[0] + HEAD_M, CENTRE[1])])
    return affinity.rotate(straight, angle_deg, origin=CENTRE)


def front(
    ice: np.ndarray, observed: np.ndarray = ALL_OBSERVED, *, angle_deg: float = 0.0, along: LineString | None = None
) -> tuple[float | None, str | None]:
    strip = strip_about(along or line(angle_deg), GRID, width_m=100)
    body, hidden = reached(ice & observed, ~observed, strip.inside)
    return locate_front(strip.count(body), strip.count(hidden), strip.count(strip.inside), pixel_m=PX)


def hide(rows: slice, columns: slice) -> np.ndarray:
    observed = ALL_OBSERVED.copy()
    observed[rows, columns] = False
    return observed


@given(pixels=st.integers(20, 150))
@settings(max_examples=25, deadline=None)
def test_a_front_on_a_pixel_edge_is_found_to_the_millimetre(pixels: int) -> None:
    assert front(tongue(pixels * PX)) == (pytest.approx(pixels * PX, abs=1e-3), None)


@given(length_m=st.floats(400, 1200), angle_deg=st.floats(0, 360))
@settings(max_examples=60, deadline=None)
@example(length_m=454.0, angle_deg=225.0)
def test_an_oblique_front_is_found_within_half_a_pixels_diagonal(length_m: float, angle_deg: float) -> None:
    """Where the front runs along the diagonals all its pixels switch at once: half of 1.41 pixels."""
    position_m, _ = front(tongue(length_m, angle_deg=angle_deg), angle_deg=angle_deg)
    assert position_m == pytest.approx(length_m, abs=0.75 * PX)


@pytest.mark.parametrize("change_m", [4.0, 13.7, 37.0, -22.0])
def test_a_planted_change_below_a_pixel_is_found_where_the_front_is_oblique(change_m: float) -> None:
    """At 20 degrees the raster's steps even out over the corridor."""
    before, after = (front(tongue(length, angle_deg=20), angle_deg=20)[0] for length in (800.0, 800.0 - change_m))
    assert before is not None
    assert after is not None
    assert before - after == pytest.approx(change_m, abs=0.2 * PX)


def test_of_a_rounded_nose_the_middle_half_counts() -> None:
    """The nose is a parabola: in the corridor's inner half it lies between the tip and bulge / 64 behind it."""
    position_m, _ = front(tongue(900, bulge_m=300))
    assert position_m is not None
    assert 900 - 300 * (50 / 200) ** 2 - PX / 2 <= position_m <= 900 + PX / 2


def test_a_cloud_over_the_front_leaves_no_position_and_says_where_it_may_be() -> None:
    ice = tongue(900)  # columns 20 to 109
    assert front(ice, hide(slice(None), slice(95, 130))) == (None, "not observed: between 750 and 1100 m")
    assert front(ice, hide(slice(None), slice(105, 200))) == (None, "not observed: beyond 850 m")


@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(hide(slice(None), slice(40, 60)), id="across the tongue above"),
        pytest.param(hide(slice(None), slice(112, 150)), id="on the ground below"),
        pytest.param(hide(slice(0, 90), slice(None)), id="over the tongue's edge"),
    ],
)
def test_a_cloud_elsewhere_changes_nothing(observed: np.ndarray) -> None:
    assert front(tongue(900), observed) == (pytest.approx(900), None)


def test_a_cloud_that_hides_less_than_a_pixel_of_the_way_is_no_obstacle() -> None:
    position_m, reason = front(tongue(900), hide(slice(None), slice(110, 111)))
    assert reason is None
    assert position_m == pytest.approx(900, abs=PX)


def test_dead_ice_below_the_front_is_not_the_front() -> None:
    ice = tongue(700)
    ice[95:105, 120:130] = True
    assert front(ice) == (pytest.approx(700), None)


def test_the_front_of_a_trunk_counts_though_the_line_comes_from_a_tributary_that_has_let_go() -> None:
    """Most of the line's ice lies in the tributary, most of the glacier's in the trunk."""
    ice = np.zeros(GRID.shape, dtype=bool)
    ice[90:110, 20:90] = True
    ice[60:200, 110:150] = True
    assert front(ice) == (pytest.approx(1500 - 200), None)


def test_a_hole_in_the_tongue_is_not_the_front() -> None:
    ice = tongue(900)
    ice[93:107, 60:70] = False  # wider than the corridor, narrower than the tongue
    assert front(ice) == (pytest.approx(900), None)


def test_ice_to_the_lines_end_and_no_ice_at_all_have_no_front() -> None:
    end = "the ice reaches the end of the flow line or of the AOI"
    assert front(np.ones(GRID.shape, dtype=bool)) == (None, end)
    assert front(np.zeros(GRID.shape, dtype=bool)) == (None, "no ice was observed on the flow line")


def test_a_front_beyond_the_grid_has_no_position_one_before_its_edge_has() -> None:
    leaving = LineString([(200, 1000), (2900, 1000)])
    end = "the ice reaches the end of the flow line or of the AOI"
    assert front(ALL_OBSERVED.copy(), along=leaving) == (None, end)
    assert front(tongue(900), along=leaving) == (pytest.approx(900), None)


def test_bins_without_a_pixel_take_their_neighbours_and_beyond_the_grid_the_last() -> None:
    assert filled(np.array([0.0, 0, 4, 0, 0]), np.array([0.0, 4, 4, 0, 4])).tolist() == [0, 0, 1, 0.5, 0]
    assert filled(np.array([4.0, 2, 0]), np.array([4.0, 4, 0])).tolist() == [1, 0.5, 0.5]
    assert filled(np.zeros(2), np.zeros(2)).tolist() == [0, 0]


@pytest.mark.parametrize("offset_m", [-150.0, -50.0, 100.0])
def test_a_lane_beside_the_line_sees_the_front_there_by_the_lines_own_distances(offset_m: float) -> None:
    """The front crosses the line at 900 m and falls back by half a metre for each metre to the left."""
    row, column = np.indices(GRID.shape)
    to_the_left = 2000 - PX * (row + 0.5) - CENTRE[1]
    ice = (column + 0.5) * PX < CENTRE[0] - HEAD_M + 900 - 0.5 * to_the_left
    (strip,) = lanes_about(line(), GRID, width_m=100, offsets_m=[offset_m])
    assert strip.inside.any(axis=1).sum() == 10
    position_m, _ = locate_front(strip.count(ice), np.zeros(strip.n_bins), strip.count(strip.inside), pixel_m=PX)
    assert position_m == pytest.approx(900 - 0.5 * offset_m, abs=PX / 2)


def test_lanes_about_a_bent_line_neither_leave_gaps_nor_overlap() -> None:
    bent = LineString([(300, 1500), (1000, 1400), (1700, 600)])
    lanes = [lane.inside for lane in lanes_about(bent, GRID, width_m=100, offsets_m=[-100, 0, 100])]
    wide = strip_about(bent, GRID, width_m=300).inside
    count = np.sum(lanes, axis=0)
    assert (count[wide] >= 1).mean() > 0.99
    assert (count > 1).mean() < 0.01
    assert not count[~wide].any()


def test_the_front_lies_where_half_of_the_width_is_ice() -> None:
    assert front_m(np.array([1, 1, 0.75, 0.25, 0]), pixel_m=10) == pytest.approx(30)
    assert front_m(np.array([1, 0.2, 1, 0]), pixel_m=10) == pytest.approx(30)
    assert front_m(np.array([1.0, 1.0]), pixel_m=10) == math.inf
    assert front_m(np.array([0.4, 0.4]), pixel_m=10) is None


@given(from_m=st.floats(0, 900), length_m=st.integers(30, 140).map(lambda n: n * PX))
@settings(max_examples=25, deadline=None)
def test_the_box_measures_the_ice_below_its_edge(from_m: float, length_m: float) -> None:
    """In a box within the tongue, area over width is the way from the box's edge to the front."""
    strip = strip_about(line(), GRID, width_m=300)
    pixels = beyond(strip.count(tongue(length_m)), from_m, pixel_m=PX)
    assert pixels * PX**2 / 300 == pytest.approx(max(length_m - from_m, 0), abs=1e-6)


@pytest.mark.parametrize(
    ("end", "left_of_middle"),
    [
        ((1900.0, 1000.0), (0, 1)),
        ((100.0, 1000.0), (0, -1)),
        ((1000.0, 100.0), (1, 0)),
        ((1000.0, 1900.0), (-1, 0)),
        ((1600.0, 1600.0), (-(0.5**0.5), 0.5**0.5)),
    ],
    ids=["east: north is left", "west: south", "south: east", "north: west", "north-east: north-west"],
)
def test_a_strip_beside_the_line_lies_to_its_left(
    end: tuple[float, float], left_of_middle: tuple[float, float]
) -> None:
    """From the middle of the grid to one of its sides: where the mean of a strip's pixels lies, in metres."""
    heading = LineString([CENTRE, end])
    for strip, side in zip(lanes_about(heading, GRID, width_m=100, offsets_m=[100.0, -100.0]), (1, -1), strict=True):
        row, column = np.nonzero(strip.inside)
        middle = np.array([column.mean() * PX + PX / 2, GRID.height * PX - row.mean() * PX - PX / 2])
        expected = np.mean([CENTRE, end], axis=0) + 100 * side * np.array(left_of_middle)
        assert middle == pytest.approx(expected, abs=PX)


def test_the_last_bin_takes_pixels_at_the_very_end_of_the_line() -> None:
    strip = strip_about(LineString([(205.0, 995.0), (505.0, 995.0)]), GRID, width_m=50)
    assert strip.n_bins == 30
    assert strip.count(strip.inside).shape == (30,)


def test_a_strip_is_at_least_three_pixels_wide() -> None:
    strip = strip_about(LineString([(205.0, 995.0), (505.0, 995.0)]), GRID, width_m=1)
    assert np.unique(np.nonzero(strip.inside)[0]).tolist() == [99, 100, 101]


def test_the_largest_body_counts_only_where_it_reaches_the_corridor() -> None:
    ice = np.zeros((9, 9), dtype=bool)
    ice[1, 0:3] = ice[3, 4:6] = ice[6:9, 0:9] = True
    corridor = np.zeros((9, 9), dtype=bool)
    corridor[0:5, 2:6] = True
    body, hidden = reached(ice, np.zeros((9, 9), dtype=bool), corridor)
    assert np.argwhere(body).tolist() == [[1, 0], [1, 1], [1, 2]]
    assert not hidden.any()


def test_points_along_a_line_are_those_of_shapely() -> None:
    random = np.random.default_rng(3)
    corners = np.cumsum(random.normal(size=(60, 2)) * 30, axis=0) + np.array([322_000, 3_406_000])
    bent = LineString(corners)
    along_m = random.uniform(-50, bent.length + 50, 2000)
    expected = shapely.line_interpolate_point(bent, np.clip(along_m, 0, bent.length))
    assert (points_along(corners, along_m) == shapely.get_coordinates(expected)).all()
