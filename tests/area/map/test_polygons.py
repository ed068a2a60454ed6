from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from stages.area.map.polygons import (
    buffer_areas_px,
    buffer_sigma_px,
    edge_pieces,
    reach_of,
    smooth_edge,
    straighten,
    trace,
    trace_mask,
    trace_zones,
)
from stages.common.geo.planes import Bits


def ellipse(center: tuple[float, float], radii: tuple[float, float], turn: float) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    x, y = radii[0] * np.cos(angle), radii[1] * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return shapely.Polygon(np.column_stack([center[0] + x * cos - y * sin, center[1] + x * sin + y * cos]))


def burn(shape: shapely.Polygon, size: int) -> np.ndarray:
    return rasterize([(shape, 1)], out_shape=(size, size), transform=Affine.identity()).astype(bool)


def areas_px(ice: np.ndarray, observed: np.ndarray, counted: np.ndarray, *, buffer_px: float) -> tuple[float, float]:
    return buffer_areas_px(
        smooth_edge(ice, observed, reach_px=reach_of(buffer_px)), trace_mask(counted), buffer_px=buffer_px
    )


def sigma_px(ice: np.ndarray, observed: np.ndarray, *, buffer_px: float) -> float:
    return buffer_sigma_px(
        smooth_edge(ice, observed, reach_px=reach_of(buffer_px)), trace_mask(observed), buffer_px=buffer_px
    )


def noise(seed: int, share: float, size: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).random((size, size)) < share


def analytic_sigma(radii: tuple[float, float], buffer_px: float) -> float:
    """Steiner: moving a convex boundary by b changes the area by b x perimeter, and both curvature terms cancel."""
    a, b = radii
    h = ((a - b) / (a + b)) ** 2
    return buffer_px * np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))  # Ramanujan: exact to 1e-5 here


SHIFTS = [(0.0, 0.0), (0.5, 0.5), (0.13, 0.71), (0.37, 0.02)]


def burnt_ellipse(radii: tuple[float, float], shift: tuple[float, float], turn: float) -> np.ndarray:
    size = 2 * int(radii[0]) + 12
    return burn(ellipse((size / 2 + shift[0], size / 2 + shift[1]), radii, turn), size)


@pytest.mark.parametrize("radii", [(30, 18), (60, 25), (110, 100)], ids=str)
@pytest.mark.parametrize("shift", SHIFTS, ids=str)
@pytest.mark.parametrize("turn", [0.0, 0.4, 0.785])
def test_straightened_ellipse_keeps_its_pixels_area_and_has_its_analytic_sigma(
    radii: tuple[float, float], shift: tuple[float, float], turn: float
) -> None:
    mask = burnt_ellipse(radii, shift, turn)
    observed = np.ones_like(mask)
    assert straighten(trace_mask(mask)).area == pytest.approx(mask.sum(), rel=1.5e-3)
    for buffer_px in (0.5, 1.0):
        sigma = sigma_px(mask, observed, buffer_px=buffer_px)
        assert sigma == pytest.approx(analytic_sigma(radii, buffer_px), rel=0.02)


@pytest.mark.parametrize("radii", [(60.3, 25.2), (110.3, 100.2)], ids=str)
@pytest.mark.parametrize("shift", SHIFTS, ids=str)
@pytest.mark.parametrize("turn", [0.0, 0.4, 0.785])
def test_straightened_ellipse_has_its_analytic_area(
    radii: tuple[float, float], shift: tuple[float, float], turn: float
) -> None:
    """Not with radii of whole pixels: centred on a pixel these lose all pixels whose centre lies on the boundary."""
    area = straighten(trace_mask(burnt_ellipse(radii, shift, turn))).area
    assert area == pytest.approx(np.pi * radii[0] * radii[1], rel=5e-3)


def test_a_small_ellipse_has_its_analytic_area_in_the_mean_of_its_shifts() -> None:
    """One placing of 30 x 18 pixels is counted to 0.7 % only; that is the pixels' error, not the line's."""
    shifts = [(x / 8, y / 8) for x in range(8) for y in range(8)]
    areas = [straighten(trace_mask(burnt_ellipse((30.3, 18.2), shift, 0.4))).area for shift in shifts]
    assert np.mean(areas) == pytest.approx(np.pi * 30.3 * 18.2, rel=5e-3)


def test_the_staircase_itself_would_overstate_sigma() -> None:
    mask = burn(ellipse((70, 70), (60, 60), 0.0), 140)
    raw = trace_mask(mask)
    overstated = (shapely.buffer(raw, 1).area - shapely.buffer(raw, -1).area) / 2
    assert overstated > 1.15 * analytic_sigma((60, 60), 1)


def test_a_nunatak_adds_its_boundary() -> None:
    mask = burn(ellipse((70, 70), (60, 60), 0.0), 140) & ~burn(ellipse((70, 70), (20, 20), 0.0), 140)
    observed = np.ones_like(mask)
    expected = analytic_sigma((60, 60), 1) + analytic_sigma((20, 20), 1)
    assert sigma_px(mask, observed, buffer_px=1) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("cut", ["raster", "aoi", "cloud"])
def test_an_edge_of_what_was_seen_is_no_boundary(cut: str) -> None:
    mask, observed = np.zeros((60, 80), dtype=bool), np.ones((60, 80), dtype=bool)
    mask[20:50] = True  # a band of ice from edge to edge: two boundaries of 80 px
    counted, length = observed.copy(), 80
    if cut != "raster":
        counted[:, 50:], length = False, 50
    if cut == "cloud":
        observed[:, 50:], mask[:, 50:] = False, False
    assert areas_px(mask, observed, counted, buffer_px=1) == pytest.approx((28 * length, 32 * length), rel=1e-3)


def test_nothing_seen_has_no_uncertainty() -> None:
    nothing = np.zeros((10, 10), dtype=bool)
    assert sigma_px(nothing, nothing, buffer_px=1) == 0
    assert sigma_px(nothing, ~nothing, buffer_px=1) == 0
    assert sigma_px(~nothing, ~nothing, buffer_px=1) == pytest.approx(0, abs=1e-6)


@given(
    st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0.1, 1), st.lists(st.floats(0.05, 3), min_size=2, max_size=4)
)
@settings(max_examples=60, deadline=None)
def test_sigma_is_not_negative_and_the_areas_spread_with_the_buffer(
    seed: int, share: float, visible: float, buffers: list[float]
) -> None:
    observed = noise(seed + 1, visible)
    ice = noise(seed, share) & observed
    areas = [areas_px(ice, observed, observed, buffer_px=size) for size in sorted(buffers)]
    sigmas = [(outer - inner) / 2 for inner, outer in areas]
    assert all(sigma >= -1e-9 for sigma in sigmas)
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(sigmas))


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_traced_polygons_are_valid_and_cover_the_pixels_exactly(seed: int, share: float) -> None:
    mask = noise(seed, share)
    zones = np.random.default_rng(seed).integers(0, 4, mask.shape).astype(np.uint16)
    polygons = trace(zones, mask, Affine(30, 0, 500_000, 0, -30, 3_000_000))
    assert list(polygons) == sorted(np.unique(zones[mask]).tolist())
    for zone, shape in polygons.items():
        assert shape.geom_type == "MultiPolygon"
        assert shape.is_valid
        assert shape.area == pytest.approx(900 * int((mask & (zones == zone)).sum()))


def test_straightening_keeps_rings_and_centres() -> None:
    mask = np.zeros((30, 30), dtype=bool)
    mask[5:25, 5:25] = True
    mask[10:20, 10:20] = False
    smooth = straighten(trace_mask(mask))
    (part,) = smooth.geoms
    assert len(part.interiors) == 1
    assert shapely.centroid(smooth).coords[0] == pytest.approx((15, 15))
    assert smooth.is_valid


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, np.pi), st.floats(18, 40), st.floats(0.4, 1))
@settings(max_examples=40, deadline=None)
def test_an_ellipse_at_any_sub_pixel_place_lies_in_the_interval_of_half_a_pixel(
    right: float, down: float, turn: float, radius: float, flatness: float
) -> None:
    """Placing costs far less than a buffer allows for: an error of pixel counts is not the error of a boundary."""
    radii = (radius, flatness * radius)
    mask = burnt_ellipse(radii, (right, down), turn)
    true_px = np.pi * radii[0] * radii[1]
    assert abs(mask.sum() - true_px) < 0.5 * sigma_px(mask, np.ones_like(mask), buffer_px=0.5)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
@settings(max_examples=30, deadline=None)
def test_pieces_of_an_edge_make_up_its_length_and_are_short(seed: int, share: float) -> None:
    edge = smooth_edge(noise(seed, share), np.ones((24, 24), dtype=bool), reach_px=3)
    middles, lengths = edge_pieces(edge)
    assert len(middles) == len(lengths)
    assert lengths.sum() == pytest.approx(edge.length)
    assert lengths.max(initial=0) <= 1 + 1e-9
    assert shapely.distance(edge.boundary, shapely.points(middles)).max(initial=0) < 1e-9


def test_an_empty_edge_has_no_pieces() -> None:
    middles, lengths = edge_pieces(shapely.MultiPolygon())
    assert (middles.shape, lengths.shape) == ((0, 2), (0,))


def test_a_square_with_a_hole_has_a_piece_per_pixel_and_none_between_its_rings() -> None:
    square = shapely.Polygon(shapely.box(0, 0, 4, 4).exterior, [shapely.box(1, 1, 2, 2).exterior])
    middles, lengths = edge_pieces(shapely.MultiPolygon([square]))
    assert lengths.tolist() == [1.0] * 20
    assert sorted(map(tuple, middles[16:].tolist())) == [(1.0, 1.5), (1.5, 1.0), (1.5, 2.0), (2.0, 1.5)]


def test_the_smooth_edge_holds_the_ice_and_not_the_ground() -> None:
    ice = np.zeros((40, 40), dtype=bool)
    ice[10:30, 15:25] = True
    edge = smooth_edge(ice, np.ones((40, 40), dtype=bool), reach_px=3)
    assert edge.area == pytest.approx(200, rel=0.01)
    assert (edge.centroid.x, edge.centroid.y) == pytest.approx((20, 20))


@pytest.mark.parametrize("largest", [3, 254, 255, 300], ids=lambda largest: f"zones up to {largest}")
def test_zones_by_rows_are_traced_as_arrays_are(largest: int) -> None:
    """Zone 0 is one of them; a byte holds zones up to 254 and what is not selected, more take two."""
    random = np.random.default_rng(largest)
    zones = random.integers(0, largest + 1, (600, 12)).astype(np.uint8 if largest < 256 else np.uint16)
    zones[0, :2] = 0, largest
    mask = random.random(zones.shape) < 0.6
    mask[0, :2] = True
    transform = Affine(30, 0, 500_000, 0, -30, 3_000_000)
    expected, traced = trace(zones, mask, transform), trace_zones(zones, Bits.of(mask), transform)
    assert list(traced) == list(expected) and {0, largest} <= traced.keys()
    assert all(shapely.to_wkb(traced[zone]) == shapely.to_wkb(expected[zone]) for zone in expected)


def test_no_selected_pixel_gives_no_polygon() -> None:
    assert trace_zones(np.ones((5, 5), dtype=np.uint8), Bits((5, 5)), Affine.identity()) == {}
