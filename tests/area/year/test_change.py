"""Change maps and their areas on a few pixels, each counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from stages.area.year.change import Changes, ObservedMap, change_map, change_rows
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_band
from tests.area.area_inputs import area_site

GRID = Grid(crs="EPSG:32644", transform=Affine(1000.0, 0, 500_000, 0, -1000.0, 3_420_000), height=2, width=6)
"""Pixels of a square kilometre, but for the scale of the projection."""

OWNER = np.array([[1, 1, 1, 1, 1, 0], [2, 2, 2, 2, 0, 0]])
SITE = area_site(OWNER, grid=GRID, prior=np.array([[1, 1, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0]], dtype=bool))
FIRST = ObservedMap(
    year=2016,
    ice=np.array([[1, 1, 0, 0, 0, 1], [1, 0, 1, 0, 0, 0]], dtype=bool),
    observed=np.array([[1, 1, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]], dtype=bool),
)
SECOND = ObservedMap(
    year=2020,
    ice=np.array([[1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]], dtype=bool),
    observed=np.array([[1, 1, 1, 0, 0, 1], [1, 0, 0, 0, 1, 1]], dtype=bool),
)
CHANGE = [[1, 2, 3, 255, 255, 2], [2, 255, 255, 255, 3, 0]]


def test_each_pixel_is_unchanged_lost_gained_or_not_observed_in_one_of_the_years() -> None:
    assert change_map(FIRST, SECOND)[:].tolist() == CHANGE


def test_what_a_cloud_hides_of_the_outlines_or_of_either_map_is_unseen() -> None:
    """The fourth pixels of both rows: an old outline without ice in either map counts, bare ground does not."""
    rows = {row.rgi_id: row for row in change_rows(SITE, FIRST, SECOND, change_map(FIRST, SECOND))}
    assert list(rows) == ["G1", "G2", "unassigned"]
    areas = {rgi_id: (row.unchanged_km2, row.lost_km2, row.gained_km2, row.unseen_km2) for rgi_id, row in rows.items()}
    assert areas["G1"] == pytest.approx((1, 1, 1, 2), rel=2e-3)
    assert areas["G2"] == pytest.approx((0, 1, 0, 2), rel=2e-3), "an outline, and ice of the first year; no bare ground"
    assert areas["unassigned"] == pytest.approx((0, 1, 1, 0), rel=2e-3)
    assert {(row.from_year, row.year) for row in rows.values()} == {(2016, 2020)}


def test_ice_of_the_later_year_that_the_first_did_not_observe_is_unseen_too() -> None:
    rows = change_rows(SITE, SECOND, FIRST, change_map(SECOND, FIRST))
    assert [row.unseen_km2 for row in rows] == pytest.approx([2, 2, 0], rel=2e-3)


def test_the_first_year_has_no_map_and_every_later_one_is_compared_with_it(tmp_path: Path) -> None:
    changes = Changes(site=SITE, out=tmp_path)
    changes.add(FIRST)
    assert (changes.rows, list(tmp_path.iterdir())) == ([], [])
    changes.add(SECOND)
    changes.add(ObservedMap(year=2021, ice=FIRST.ice, observed=np.ones(GRID.shape, dtype=bool)))
    assert read_band(tmp_path / "change_2020.tif").tolist() == CHANGE
    assert [(row.from_year, row.year, row.rgi_id) for row in changes.rows[3:]] == [
        (2016, 2021, "G1"), (2016, 2021, "G2"), (2016, 2021, "unassigned"),
    ]  # fmt: skip
    assert all((row.lost_km2, row.gained_km2) == (0, 0) for row in changes.rows[3:])
