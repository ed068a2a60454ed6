"""The change domain holds what a glacier can lose and take, and nothing that only looks like ice."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from stages.area.change_domain.domain import WITHOUT_HEIGHT, ChangeDomain, changing_ice, find_domain, ice_on_high_margin
from stages.area.map.surface import grow_zones
from stages.area.site import relative_height
from stages.common.geo.grid import Grid
from stages.common.params.area import ChangeParams
from tests.area.area_inputs import area_site

SIZE = 120
GRID = Grid(crs="EPSG:32645", transform=Affine(10, 0, 480_000, 0, -10, 3_090_000), height=SIZE, width=SIZE)
ROWS, COLUMNS = np.indices(GRID.shape)
OUTLINE = (ROWS >= 20) & (ROWS < 80) & (COLUMNS >= 40) & (COLUMNS < 80)
"""A tongue 600 m long that flows down the rows."""
HEIGHT_M = (6000 - 10.0 * ROWS).astype(np.float32)
SEEN = np.ones(GRID.shape, dtype=bool)


@pytest.fixture
def domain() -> ChangeDomain:
    return domain_of(HEIGHT_M)


def domain_of(height_m: np.ndarray | None, *, assign_px: float = 30) -> ChangeDomain:
    owner = grow_zones(OUTLINE.astype(np.uint16), distance_px=assign_px)
    site = area_site(owner, grid=GRID, prior=OUTLINE)
    heights = None if height_m is None else relative_height(site, height_m)
    return find_domain(site, heights, ChangeParams(margin_m=30))


def box(rows: slice, columns: slice) -> np.ndarray:
    area = np.zeros(GRID.shape, dtype=bool)
    area[rows, columns] = True
    return area


def test_heights_run_from_the_front_to_the_head() -> None:
    owner = grow_zones(OUTLINE.astype(np.uint16), distance_px=30)
    relative = relative_height(area_site(owner, grid=GRID, prior=OUTLINE), HEIGHT_M)[:]
    assert relative[79, 60] == pytest.approx(0, abs=0.02)
    assert relative[20, 60] == pytest.approx(1, abs=0.02)
    assert np.isinf(relative[0, 0])


def test_the_domain_is_the_outline_its_margin_and_low_ground_near_it(domain: ChangeDomain) -> None:
    assert domain.ground[:][OUTLINE].all()
    assert domain.ground[:][100, 60], "ground below the front belongs to it"
    assert domain.ground[:][70, 90], "ground beside the tongue belongs to it"
    assert domain.ground[:][30, 82], "the margin belongs to it"
    assert domain.control[:][30, 90], "ground beside the head does not"
    assert domain.control[:][10, 60], "ground above the head does not"
    assert not (domain.ground & domain.control).any()
    assert (domain.ground | domain.control)[:].all()


@pytest.mark.parametrize("assign_px", [30, 6])
def test_ground_near_no_glacier_is_never_high_ground(assign_px: float) -> None:
    """`area.assign_distance_m` of 60 m is less than `high_margin_m`, 250 m: no height is known further away."""
    domain = domain_of(HEIGHT_M, assign_px=assign_px)
    assert domain.high_margin[:][30, 85], "ground beside the head"
    assert domain.high_margin[:][30, 90] == (assign_px > 10), "the same, 110 m from the outline"
    assert not domain.high_margin[:][40:].any(), "ground beside the tongue and below the front is low"
    assert not domain_of(None, assign_px=assign_px).high_margin.any()


def test_without_heights_all_ground_near_the_glacier_belongs_to_it() -> None:
    domain = domain_of(None)
    assert domain.ground[:][30, 90]
    assert domain.method == WITHOUT_HEIGHT


@pytest.mark.parametrize(("ending", "expected"), [(70, 30 * -40 / 3), (80, 0), (90, 30 * 40 / 3)])
def test_a_retreat_and_an_advance_at_the_front_are_measured_in_full(
    domain: ChangeDomain, ending: int, expected: float
) -> None:
    ice = box(slice(20, ending), slice(40, 80))
    change = int(changing_ice(domain, ice, SEEN).sum()) - int(OUTLINE.sum())
    assert change == pytest.approx(expected)


@pytest.mark.parametrize(
    "snow",
    [
        pytest.param(box(slice(0, 12), slice(0, 120)), id="above the head"),
        pytest.param(box(slice(20, 45), slice(95, 115)), id="beside the head"),
        pytest.param(box(slice(95, 105), slice(40, 80)), id="below the front, apart from the ice"),
    ],
)
def test_snow_beyond_the_glacier_is_no_ice_of_the_domain(domain: ChangeDomain, snow: np.ndarray) -> None:
    assert np.array_equal(changing_ice(domain, OUTLINE | snow, SEEN), OUTLINE)


def test_a_gap_within_the_ice_is_filled_and_a_bay_at_the_margin_is_not(domain: ChangeDomain) -> None:
    gap, bay = box(slice(50, 55), slice(55, 65)), box(slice(50, 55), slice(70, 80))
    assert np.array_equal(changing_ice(domain, OUTLINE & ~gap, SEEN), OUTLINE)
    lost = OUTLINE & ~changing_ice(domain, OUTLINE & ~bay, SEEN)[:]
    assert int(bay.sum()) - 2 <= int((lost & bay).sum()) == int(lost.sum()), "all but its two inner corners"


def test_what_was_not_observed_is_as_in_the_outlines(domain: ChangeDomain) -> None:
    cloud = box(slice(60, 80), slice(0, 120))
    assert np.array_equal(changing_ice(domain, OUTLINE & ~cloud, ~cloud), OUTLINE)


def test_a_site_without_outlines_has_a_domain_without_ground() -> None:
    nothing = np.zeros(GRID.shape, dtype=bool)
    site = area_site(nothing.astype(np.uint16), grid=GRID, prior=nothing)
    domain = find_domain(site, relative_height(site, HEIGHT_M), ChangeParams())
    assert not domain.ground.any()
    assert not changing_ice(domain, box(slice(0, 9), slice(0, 9)), SEEN).any()


def test_the_high_margin_is_the_control_near_the_outlines(domain: ChangeDomain) -> None:
    assert domain.high_margin[:][30, 90], "beside the head"
    assert domain.high_margin[:][10, 60], "above the head"
    assert not domain.high_margin[:][30, 110], "more than 250 m away"
    assert (domain.control | ~domain.high_margin)[:].all(), "it is a part of the control"


def test_ice_on_the_high_margin_hangs_together_with_that_within_the_domain(domain: ChangeDomain) -> None:
    touching, apart = box(slice(25, 35), slice(80, 95)), box(slice(10, 14), slice(90, 95))
    ice = OUTLINE | touching | apart
    high = ice_on_high_margin(domain, ice, changing_ice(domain, ice, SEEN))
    assert np.array_equal(high, touching & domain.high_margin)
    assert high.any()
