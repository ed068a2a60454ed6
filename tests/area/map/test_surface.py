from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from stages.area.map import surface
from stages.area.map.pieces import EIGHT_NEIGHBOURS
from stages.area.map.surface import distances_m, grow_zones, grown, grown_rows, remove_speckle, zonal_area_km2
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips

ALL_OBSERVED = np.ones((20, 20), dtype=bool)


def squares(*places: tuple[int, int, int]) -> np.ndarray:
    ice = np.zeros((20, 20), dtype=bool)
    for row, column, size in places:
        ice[row : row + size, column : column + size] = True
    return ice


def test_speckle_goes_and_is_counted() -> None:
    cleaned, pieces = remove_speckle(squares((2, 2, 2), (8, 8, 5)), ALL_OBSERVED, min_pixels=5)
    assert pieces == 1
    assert (cleaned[:] == squares((8, 8, 5))).all()


def test_a_component_of_just_the_smallest_size_stays() -> None:
    ice = squares((2, 2, 2))
    assert (remove_speckle(ice, ALL_OBSERVED, min_pixels=4)[0][:] == ice).all()


def test_a_diagonal_tongue_is_one_component() -> None:
    ice = np.eye(20, dtype=bool)
    ice[0, 0] = ice[-1, -1] = False
    assert remove_speckle(ice, ALL_OBSERVED, min_pixels=18)[1] == 0


@pytest.mark.parametrize("hidden", [(4, 4), (3, 4), (1, 1)], ids=["corner", "edge", "upper corner"])
def test_a_component_beside_a_cloud_stays(hidden: tuple[int, int]) -> None:
    ice, observed = squares((2, 2, 2)), ALL_OBSERVED.copy()
    observed[hidden] = False
    assert remove_speckle(ice, observed, min_pixels=10)[0].sum() == 4


def test_a_component_at_the_rasters_edge_stays() -> None:
    assert remove_speckle(squares((0, 5, 2)), ALL_OBSERVED, min_pixels=10)[0].sum() == 4


def test_nothing_mapped_is_no_error() -> None:
    cleaned, pieces = remove_speckle(squares(), ALL_OBSERVED, min_pixels=10)
    assert (cleaned.any(), pieces) == (False, 0)


@given(st.integers(0, 2**32 - 1), st.floats(0, 12), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_spreading_in_squares_is_spreading_at_once(seed: int, distance_px: float, side_px: int) -> None:
    zones = np.random.default_rng(seed).choice([0, 0, 0, 0, 0, 0, 0, 1, 2], size=(17, 13)).astype(np.uint16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surface, "TILE_PX", side_px)
        patch.setattr(surface, "HALOS_A_TILE", 1)
        spread_out = grow_zones(zones, distance_px=distance_px)
    if zones.any():
        distance = ndimage.distance_transform_edt(zones == 0)
        assert ((spread_out > 0) == (distance <= (distance_px if distance_px >= 1 else 0))).all()
    assert (spread_out[zones > 0] == zones[zones > 0]).all()
    for row, column in np.argwhere((spread_out > 0) & (zones == 0)):
        away = {
            zone: np.hypot(*(np.argwhere(zones == zone) - (row, column)).T).min()
            for zone in np.unique(zones[zones > 0])
        }
        assert away[spread_out[row, column]] == min(away.values())


@pytest.mark.parametrize(("distance_px", "grown"), [(0.9, 1), (1.0, 2), (2.9, 3), (3.0, 4)])
def test_a_zone_grows_to_pixels_at_just_the_distance(distance_px: float, grown: int) -> None:
    zones = np.array([[7, 0, 0, 0, 0, 0]], dtype=np.uint16)
    assert grow_zones(zones, distance_px=distance_px).tolist() == [[7] * grown + [0] * (6 - grown)]


@pytest.mark.parametrize("distance_px", [1e30, float("inf")])
def test_an_endless_distance_reaches_the_whole_array(distance_px: float) -> None:
    zones = np.zeros((3, 150), dtype=np.uint16)
    zones[2, 0] = 7
    assert (grow_zones(zones, distance_px=distance_px) == 7).all()


@pytest.mark.parametrize("rows", [7, 1000])
def test_zonal_areas_are_sums_of_true_pixel_areas(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(surface, "SUM_ROWS", rows)
    grid = Grid(crs="EPSG:32645", transform=Affine(30.0, 0, 478_000, 0, -30.0, 3_108_140), height=60, width=50)
    random = np.random.default_rng(1)
    zones, chosen = random.integers(0, 4, grid.shape).astype(np.uint16), random.random(grid.shape) < 0.5
    everywhere = np.ones(grid.shape, dtype=bool)
    sums = zonal_area_km2(grid, zones, lambda part: {"all": everywhere[part], "some": chosen[part]}, n_zones=5)
    true = pixel_area_km2(grid)
    assert sums["all"].sum() == pytest.approx(true.sum(), rel=1e-9)
    assert sums["some"] == pytest.approx([true[chosen & (zones == zone)].sum() for zone in range(5)], rel=1e-9)


def test_a_small_hole_in_the_ice_is_no_speckle() -> None:
    ice = np.ones((20, 20), dtype=bool)
    ice[5, 5] = False
    cleaned, pieces = remove_speckle(ice, ALL_OBSERVED, min_pixels=10)
    assert (cleaned[:] == ice).all()
    assert pieces == 0


@given(st.integers(0, 2**32 - 1), st.floats(1, 9), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_growing_in_squares_chooses_the_same_zones_as_the_whole_array_at_once(
    seed: int, distance_px: float, side: int
) -> None:
    random = np.random.default_rng(seed)
    zones = np.where(random.random((23, 31)) < random.random() ** 4, random.integers(1, 99, (23, 31)), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surface, "TILE_PX", side)
        patch.setattr(surface, "HALOS_A_TILE", 1)
        grown_zones = grow_zones(zones.astype(np.uint16), distance_px=distance_px)
    expected = zones
    if zones.any():
        distance, nearest = ndimage.distance_transform_edt(zones == 0, return_indices=True)
        expected = np.where(distance <= distance_px, zones[tuple(nearest)], 0)
    assert (grown_zones == expected).all()


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_grown_is_the_dilation_of_scipy(seed: int, corners: bool, beyond: bool) -> None:
    area = np.random.default_rng(seed).random((9, 14)) < 0.3
    structure = EIGHT_NEIGHBOURS if corners else None
    expected = ndimage.binary_dilation(area, structure=structure, border_value=int(beyond))
    parts = [
        grown_rows(lambda rows: area[rows], rows, len(area), corners=corners, beyond=beyond) for rows in strips(9, 4)
    ]
    assert (np.concatenate(parts) == expected).all()
    assert beyond or (grown(area, corners=corners) == expected).all()


@pytest.mark.parametrize("pixel_m", [10.0, 30.0])
def test_distances_are_those_of_scipy(pixel_m: float) -> None:
    area = np.random.default_rng(2).random((1300, 31)) < 0.999
    area[600:900] = True
    expected = ndimage.distance_transform_edt(area, sampling=pixel_m).astype(np.float32)
    for reach_m in (np.inf, 200 * pixel_m, 40.0, 0.0):
        parts = list(distances_m(Bits.of(area), pixel_m, reach_m=reach_m))
        assert [rows.stop for rows, _ in parts][-1] == len(area)
        away = np.concatenate([part for _, part in parts])
        near = expected <= reach_m
        assert (away[near] == expected[near]).all()
        assert ((away[~near] == expected[~near]) | np.isinf(away[~near])).all()
        assert np.isinf(away).any() == (expected.max() > reach_m + 2 * pixel_m)


def test_no_pixel_is_near_where_all_belong_to_the_area() -> None:
    ((_, away),) = distances_m(~Bits((5, 7)), 10.0, reach_m=np.inf)
    assert np.isinf(away).all()
