"""Planted changes come back from maps, and snow makes none: ellipses on ground whose heights are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from affine import Affine

from stages.area.change_domain.domain import HIGH_MARGIN, find_domain
from stages.area.change_domain.series import ChangeSeries
from stages.area.change_domain.write import change_metrics
from stages.area.map.surface import grow_zones
from stages.area.site import relative_height
from stages.common.geo.grid import Grid
from stages.common.params.area import ChangeParams
from stages.common.tables.change import ChangeTrend
from tests.area.area_inputs import area_site, year_area

SIZE, YEARS = 200, range(2016, 2025)
GRID = Grid(crs="EPSG:32645", transform=Affine(10, 0, 480_000, 0, -10, 3_090_000), height=SIZE, width=SIZE)
ROWS, COLUMNS = np.indices(GRID.shape)
HEIGHT_M = (6000 - 10.0 * ROWS).astype(np.float32)
SEEN = np.ones(GRID.shape, dtype=bool)
PIXEL_KM2 = 1e-4


def ellipse(longer_px: float = 0.0) -> np.ndarray:
    """An ellipse whose head stays in row 30 and whose front lies in row 130, or further down."""
    half = 50 + longer_px / 2
    return ((ROWS - 30 - half) / half) ** 2 + ((COLUMNS - 100) / 40) ** 2 <= 1


OUTLINE = ellipse()
SNOW = (ROWS < 25) | ((ROWS < 75) & (np.abs(COLUMNS - 100) > 60))
"""Snow on high ground off the glacier, some of which touches it."""


def series(maps: Mapping[int, np.ndarray], *, drift_pct: float = 0.02) -> ChangeSeries:
    owner = grow_zones(OUTLINE.astype(np.uint16), distance_px=50)
    site = area_site(owner, grid=GRID, prior=OUTLINE)
    site.outlines_km2[1] = OUTLINE.sum() * PIXEL_KM2
    params = ChangeParams(shared_drift_pct_per_year=drift_pct, gain_sigma=0.1)
    domain = find_domain(site, relative_height(site, HEIGHT_M), params)
    collected = ChangeSeries(site=site, domain=domain, common=SEEN, params=params)
    for year, ice in maps.items():
        collected.add(year_area(year, float(ice.sum()) * PIXEL_KM2), ice=ice, observed=SEEN)
    return collected


def trend_of(maps: Mapping[int, np.ndarray]) -> ChangeTrend:
    collected = series(maps)
    return collected.trend(collected.fit())


def planted(per_year_px: float) -> dict[int, np.ndarray]:
    """Maps of nine years, each wrong at its margin by a pixel or none in turn."""
    return {year: ellipse(per_year_px * (year - 2020) + (year % 2)) for year in YEARS}


@pytest.mark.parametrize("per_year_px", [-4.0, -2.0, 2.0, 4.0])
def test_a_planted_retreat_or_advance_of_the_front_is_detected_in_full(per_year_px: float) -> None:
    trend = trend_of(planted(per_year_px))
    expected = np.pi / 4 * 80 * per_year_px * PIXEL_KM2
    assert trend.slope_km2_per_year == pytest.approx(expected, rel=0.05)
    assert trend.detectable
    assert trend.statement.startswith("Lost" if per_year_px < 0 else "Gained")


def test_maps_without_change_have_no_trend() -> None:
    trend = trend_of(planted(0.0))
    assert not trend.detectable
    assert trend.statement.startswith("No change in area detected")


@pytest.mark.parametrize("year", [2016, 2020, 2024])
def test_a_snowy_year_is_left_out_and_makes_no_trend(year: int) -> None:
    maps = planted(0.0)
    wet_snow = SNOW | (np.abs(ROWS - 140) < 12)  # hangs together with the glacier, too
    trend = trend_of(maps | {year: maps[year] | wet_snow})
    assert trend.flagged_years == [year]
    assert not trend.detectable
    assert f"{year}: left out" in trend.statement
    with_change = planted(-3.0)
    assert trend_of(with_change | {year: with_change[year] | wet_snow}).detectable


def test_snow_beyond_the_domain_that_is_the_same_every_year_changes_nothing() -> None:
    maps = {year: ice | SNOW for year, ice in planted(-3.0).items()}
    trend = trend_of(maps)
    assert trend.flagged_years == []
    plain = trend_of(planted(-3.0))
    assert trend.slope_km2_per_year == pytest.approx(plain.slope_km2_per_year)


def test_the_table_says_which_years_count_and_why_the_others_do_not() -> None:
    maps = planted(0.0)
    collected = series(maps | {2019: maps[2019] | SNOW})
    collected.add(year_area(2025, None), ice=OUTLINE, observed=SEEN)
    rows = {row.year: row for row in collected.rows(collected.fit())}
    assert {row.product for row in rows.values()} == {"change"}
    assert rows[2018].used
    assert rows[2018].reason is None
    assert rows[2019].reason == "ice where no glacier can be: snow or cloud"
    assert rows[2025].reason == "too little observed"
    assert rows[2025].change_area_km2 is None
    assert (rows[2019].control_km2 or 0) > (rows[2018].control_km2 or 0)


def test_the_error_of_a_year_is_split_into_shared_season_and_own() -> None:
    maps = planted(0.0)
    collected = series(maps)
    trend = collected.trend(collected.fit())
    assert trend.sigma_own_km2 is not None
    assert trend.sigma_shared_km2 == pytest.approx((0.1**2 - trend.sigma_own_km2**2) ** 0.5)
    assert trend.correlation_between_years == pytest.approx(1 - trend.sigma_own_km2**2 / 0.1**2)


def test_two_years_have_no_trend() -> None:
    collected = series(dict.fromkeys((2016, 2017), OUTLINE))
    trend = collected.trend(collected.fit())
    assert trend.slope_km2_per_year is None
    assert "at least three years" in trend.statement
    assert change_metrics(collected.fit(), trend, collected.used) is None


def test_ice_that_grows_beyond_the_domain_widens_the_interval_on_its_side() -> None:
    """An advance on high ground, of which the domain holds nothing: a retreat of the front may not hide it."""
    retreat = planted(-2.0)
    beside = {year: (ROWS < 60) & (COLUMNS >= 165) & (170 + 3 * (year - 2016) > COLUMNS) for year in YEARS}
    alone, both = trend_of(retreat), trend_of({year: retreat[year] | beside[year] for year in YEARS})
    assert alone.control_slope_km2_per_year == 0
    assert both.control_slope_km2_per_year == pytest.approx(3 * 60 * PIXEL_KM2, rel=0.05)
    assert both.slope_low_km2_per_year == pytest.approx(alone.slope_low_km2_per_year, rel=0.05)
    assert "high ground" not in both.domain_method
    wider = (both.slope_high_km2_per_year or 0) - (alone.slope_high_km2_per_year or 0)
    assert wider == pytest.approx(both.control_slope_km2_per_year, rel=0.05)
    assert "gained beyond the ground" in both.statement
    least, plain = both.minimum_detectable_km2_per_year or 0, alone.minimum_detectable_km2_per_year or 0
    assert least == pytest.approx(plain + (both.control_slope_km2_per_year or 0), rel=1e-6), "it hides as much more"


def widening(per_year_px: float) -> dict[int, np.ndarray]:
    """An ellipse that is wider than the outline on both sides, at all heights, by more each year."""
    half = {year: 45 + per_year_px * (year - 2016) + year % 2 for year in YEARS}
    return {year: ((ROWS - 80) / 50) ** 2 + ((COLUMNS - 100) / half[year]) ** 2 <= 1 for year in YEARS}


def test_an_advance_on_high_ground_counts_in_full() -> None:
    advance = trend_of(widening(2.0))
    assert advance.slope_km2_per_year == pytest.approx(np.pi * 50 * 2 * PIXEL_KM2, rel=0.05)
    assert advance.control_slope_km2_per_year == 0
    assert advance.domain_method.endswith(HIGH_MARGIN)
    same = trend_of(widening(0.0))
    assert HIGH_MARGIN not in same.domain_method
    assert same.domain_km2 < advance.domain_km2
    assert same.domain_km2 + same.control_ground_km2 == pytest.approx(advance.domain_km2 + advance.control_ground_km2)


def test_the_table_has_the_ice_on_high_ground_where_it_counts() -> None:
    collected = series(widening(2.0))
    rows = collected.rows(collected.fit())
    for row, ice in zip(rows, widening(2.0).values(), strict=True):
        assert row.change_area_km2 == pytest.approx(ice.sum() * PIXEL_KM2, rel=0.02)
        assert row.control_km2 == pytest.approx(0, abs=20 * PIXEL_KM2)


def test_snow_on_high_ground_that_comes_and_goes_is_left_out() -> None:
    depth = {2016: 4, 2017: 9, 2018: 0, 2019: 6, 2020: 3, 2021: 8, 2022: 1, 2023: 7, 2024: 5}
    retreat = planted(-3.0)
    snowy = {year: retreat[year] | ((ROWS < 50) & ((30 - depth[year] < ROWS) | retreat[year])) for year in YEARS}
    plain, with_snow = trend_of(retreat), trend_of(snowy)
    assert HIGH_MARGIN not in with_snow.domain_method
    assert with_snow.detectable
    assert with_snow.slope_km2_per_year == pytest.approx(plain.slope_km2_per_year, rel=0.1)


def test_ice_on_high_ground_counts_where_it_grows_by_more_than_errors_drift() -> None:
    """200 m2 a year, without any scatter, beside 0.6 km2 of ice."""
    retreat, patch = planted(-3.0), (ROWS >= 26) & (ROWS < 30) & (np.abs(COLUMNS - 100) < 15)
    maps = {year: retreat[year] | patch | ((ROWS == 25) & (np.abs(COLUMNS - 100) <= year - 2016)) for year in YEARS}
    collected = {drift: series(maps, drift_pct=drift) for drift in (0.02, 0.05)}
    assert {drift: one.takes_high_margin for drift, one in collected.items()} == {0.02: True, 0.05: False}
    growth = collected[0.02].fit().slope - collected[0.05].fit().slope
    assert growth == pytest.approx(2 * PIXEL_KM2, rel=0.01)
