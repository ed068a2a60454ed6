"""Where a pixel lies against the outline: half a pixel at the edge, negative within, with the outline's own year."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from stages.area.fusion.margin import NO_OUTLINE_M, margin_of, outline_years
from stages.area.map.elevation import Elevation
from stages.area.site import heights_of
from stages.common.geo.grid import Grid
from stages.common.tables.labels import INVENTORY_YEAR, GlacierRow
from tests.area.area_inputs import area_site

GRID = Grid(crs="EPSG:32645", transform=Affine(10, 0, 480_000, 0, -10, 3_090_000), height=40, width=40)
ROWS, COLUMNS = np.indices(GRID.shape)
OUTLINE = (ROWS >= 10) & (ROWS < 30) & (COLUMNS >= 10) & (COLUMNS < 30)


def glacier(index: int, src_date: str | None) -> GlacierRow:
    return GlacierRow(
        glacier_index=index, rgi_id=f"G{index}", outline_area_km2=1, geodesic_area_km2=1, src_date=src_date,
        terminus="unknown",
    )  # fmt: skip


def test_distances_are_signed_and_metric() -> None:
    margin = margin_of(area_site(OUTLINE.astype(np.uint16), grid=GRID), None)
    assert margin.beyond_m[:][20, [8, 9, 10, 11]].tolist() == [15, 5, -5, -15]
    assert not margin.has_height
    assert (margin.height[:] == 0).all()


def test_distances_within_reach_are_exact_and_those_beyond_it_are_stated_as_far() -> None:
    site = area_site(OUTLINE.astype(np.uint16), grid=GRID)
    exact = margin_of(site, None).beyond_m[:]
    for reach_m in (20.0, 55.0):
        reached = margin_of(site, None, reach_m=reach_m).beyond_m[:]
        near = np.abs(exact) <= reach_m
        assert (reached[near] == exact[near]).all()
        assert np.isin(reached[~near], (NO_OUTLINE_M, -NO_OUTLINE_M, *exact[~near])).all()
        assert ((reached > 0) == (exact > 0)).all()
        assert (np.abs(reached) == NO_OUTLINE_M).any()


def test_heights_run_from_front_to_head_and_are_one_far_away() -> None:
    owner = OUTLINE.astype(np.uint16)
    dem = Elevation(height_m=(5000 - 10.0 * ROWS).astype(np.float32), transform=GRID.transform, crs=GRID.crs)
    site = area_site(owner, grid=GRID)
    margin = margin_of(site, heights_of(site, dem))
    assert margin.has_height
    assert margin.height[:][29, 20] == pytest.approx(0, abs=0.03)
    assert margin.height[:][10, 20] == pytest.approx(1, abs=0.03)
    assert margin.height[:][35, 20] == 1


def test_a_site_without_any_outline_is_far_from_all() -> None:
    assert (margin_of(area_site(np.zeros(GRID.shape, np.uint16), grid=GRID), None).beyond_m[:] == NO_OUTLINE_M).all()


def test_each_glacier_has_the_year_of_its_outline() -> None:
    years = outline_years([glacier(1, "2010-08-01"), glacier(2, None)])
    assert years.tolist() == [(2010 + INVENTORY_YEAR) / 2, 2010, INVENTORY_YEAR]
    assert outline_years([]).tolist() == [INVENTORY_YEAR]
