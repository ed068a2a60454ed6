"""The buffer method shared among glaciers, against the method on each glacier alone and the analytic value."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.features import rasterize

from stages.area.error.delineation import delineation_sigma_km2, ice_pixels
from stages.area.map.polygons import buffer_sigma_px, reach_of, smooth_edge, trace_mask
from stages.area.site import AreaSite
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.common.params.area import AreaParams
from tests.area.area_inputs import area_site

GRID = Grid(crs="EPSG:32644", transform=Affine(10.0, 0, 320_000, 0, -10.0, 3_420_000), height=200, width=240)
ALL_OBSERVED = np.ones(GRID.shape, dtype=bool)


def disc(row: float, column: float, radius: float) -> np.ndarray:
    shape = shapely.Point(column, row).buffer(radius, quad_segs=200)
    return rasterize([(shape, 1)], out_shape=GRID.shape, transform=Affine.identity()).astype(bool)


def site(owner: np.ndarray, aoi: np.ndarray = ALL_OBSERVED) -> AreaSite:
    return area_site(owner, grid=GRID, aoi=aoi)


def sigmas_km2(
    place: AreaSite, ice: np.ndarray, observed: np.ndarray, params: AreaParams, clean: np.ndarray | None = None
) -> np.ndarray:
    is_clean = None if clean is None else Bits.of(clean)
    return delineation_sigma_km2(place, Bits.of(ice), Bits.of(observed), params, clean=is_clean)


LARGE, SMALL = disc(90, 80, 60), disc(100, 190, 25)
APART = site(np.where(np.arange(240) < 145, 1, 2)[np.newaxis].repeat(200, axis=0))


@pytest.mark.parametrize("buffer_px", [0.5, 1.0])
def test_each_glacier_gets_what_it_would_have_alone_and_what_theory_says(buffer_px: float) -> None:
    params = AreaParams(boundary_buffer_px=buffer_px)
    near_none, large, small = sigmas_km2(APART, LARGE | SMALL, ALL_OBSERVED, params)
    assert near_none == 0
    for sigma_km2, ice, radius in ((large, LARGE, 60), (small, SMALL, 25)):
        alone = buffer_sigma_px(
            smooth_edge(Bits.of(ice), Bits.of(ALL_OBSERVED), reach_px=reach_of(buffer_px)),
            trace_mask(ALL_OBSERVED),
            buffer_px=buffer_px,
        )
        assert sigma_km2 == pytest.approx(alone * 1e-4, rel=0.01)
        assert sigma_km2 == pytest.approx(2 * np.pi * radius * buffer_px * 1e-4, rel=0.02)


def test_a_divide_between_glaciers_is_no_edge() -> None:
    """A disc halved by a divide: two halves of its rim, and nothing of the diameter."""
    halves = site(np.where(np.arange(240) < 80, 1, 2)[np.newaxis].repeat(200, axis=0))
    _, left, right = sigmas_km2(halves, LARGE, ALL_OBSERVED, AreaParams())
    assert left == pytest.approx(right, rel=0.02)
    assert left + right == pytest.approx(2 * np.pi * 60 * 1e-4, rel=0.02)


def test_clean_ice_is_moved_half_as_far() -> None:
    clean = LARGE & (np.arange(240) < 80)
    half_clean = sigmas_km2(APART, LARGE, ALL_OBSERVED, AreaParams(), clean=clean).sum()
    assert half_clean == pytest.approx(0.75 * sigmas_km2(APART, LARGE, ALL_OBSERVED, AreaParams()).sum(), rel=0.01)
    all_clean = sigmas_km2(APART, LARGE, ALL_OBSERVED, AreaParams(), clean=LARGE).sum()
    expected = sigmas_km2(APART, LARGE, ALL_OBSERVED, AreaParams(boundary_buffer_px=0.5)).sum()
    assert all_clean == pytest.approx(expected, rel=0.01)


def test_clean_ice_has_its_own_buffer_whatever_the_other_is() -> None:
    params = AreaParams(boundary_buffer_px=2.0, clean_boundary_buffer_px=0.5)
    sigma_km2 = sigmas_km2(APART, LARGE, ALL_OBSERVED, params, clean=LARGE).sum()
    assert sigma_km2 == pytest.approx(2 * np.pi * 60 * 0.5 * 1e-4, rel=0.02)


@pytest.mark.parametrize("cut", ["cloud", "aoi"])
def test_the_edge_of_what_was_seen_is_no_edge_of_a_glacier(cut: str) -> None:
    uncut = np.broadcast_to(np.arange(240) < 80, GRID.shape)
    place = site(APART.owner[:], aoi=uncut) if cut == "aoi" else APART
    observed = uncut if cut == "cloud" else ALL_OBSERVED
    sigma_km2 = sigmas_km2(place, LARGE & observed, observed, AreaParams()).sum()
    assert sigma_km2 == pytest.approx(np.pi * 60 * 1e-4, rel=0.03)


def test_no_ice_has_no_sigma() -> None:
    nothing = np.zeros(GRID.shape, dtype=bool)
    assert sigmas_km2(APART, nothing, ALL_OBSERVED, AreaParams()).tolist() == [0, 0, 0]


def test_a_piece_belongs_to_the_ice_beside_it() -> None:
    ice = np.zeros((4, 4), dtype=bool)
    ice[1, 1] = True
    middles = np.array([[1.5, 0.9], [1.5, 1.1], [3.5, 3.5], [-0.2, 0.5]])
    rows, columns, inside = ice_pixels(middles, Bits.of(ice), Bits.of(np.ones((4, 4), dtype=bool)))
    assert (rows.tolist(), columns.tolist()) == ([1, 1], [1, 1])
    assert inside.tolist() == [True, True, False, False]


def test_a_piece_belongs_to_its_own_pixel_then_to_one_beside_it_then_to_one_over_the_corner() -> None:
    everywhere = np.ones((4, 4), dtype=bool)
    ice = np.zeros((4, 4), dtype=bool)
    ice[1:3, 1] = ice[0, 2] = True
    middles = np.array([[1.5, 2.5], [2.5, 2.5], [2.5, 1.5], [0.5, 0.5]])
    rows, columns, inside = ice_pixels(middles, Bits.of(ice), Bits.of(everywhere))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True))[:2] == [(2, 1), (2, 1)]
    assert (int(rows[2]), int(columns[2])) in {(0, 2), (1, 1)}, "both are beside it"
    assert (int(rows[3]), int(columns[3])) == (1, 1)
    assert inside.all()


def test_a_piece_on_ice_belongs_to_its_own_pixel_whatever_lies_beside_it() -> None:
    ice = np.zeros((4, 4), dtype=bool)
    ice[1:3, 1:3] = True
    middles = np.array([[2.5, 2.5], [1.5, 1.5], [2.5, 1.5], [1.5, 2.5]])
    rows, columns, _ = ice_pixels(middles, Bits.of(ice), Bits.of(np.ones((4, 4), dtype=bool)))
    assert (rows.tolist(), columns.tolist()) == ([2, 1, 1, 2], [2, 1, 2, 1])


def test_ice_is_found_in_each_of_the_eight_directions() -> None:
    ice = np.zeros((3, 3), dtype=bool)
    ice[1, 1] = True
    middles = np.array([[column + 0.5, row + 0.5] for row in range(3) for column in range(3)])
    rows, columns, inside = ice_pixels(middles, Bits.of(ice), Bits.of(np.ones((3, 3), dtype=bool)))
    assert inside.all()
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(1, 1)}


def test_a_piece_outside_the_raster_bounds_no_ice() -> None:
    everywhere = np.ones((4, 4), dtype=bool)
    middles = np.array([[1.5, -0.2], [1.5, 4.2], [-0.2, 1.5], [4.2, 1.5]])
    rows, columns, inside = ice_pixels(middles, Bits.of(everywhere), Bits.of(everywhere))
    assert (len(rows), len(columns), inside.tolist()) == (0, 0, [False] * 4)
