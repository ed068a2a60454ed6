"""Rows of the fronts from positions that are known, without any map."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stages.area.fronts.flow_lines import FlowLine
from stages.area.fronts.retreat import (
    box_retreat_m,
    front_row,
    front_rows,
    front_trend_row,
    front_trend_rows,
    slope_error,
)
from stages.area.fronts.series import FrontPosition
from stages.common.tables.labels import GlacierRow

GLACIER = GlacierRow(
    glacier_index=1, rgi_id="G1", glac_name="One", outline_area_km2=1, geodesic_area_km2=1, terminus="unknown"
)
FLOW = FlowLine(line=None, source="given")


def position(
    year: int, across_m: tuple[float, ...], *, sigma_m: float = 10.0, box_m: float | None = None
) -> FrontPosition:
    return FrontPosition(
        year=year, decimal_year=float(year), position_m=sum(across_m) / len(across_m), sigma_m=sigma_m,
        across_m=across_m, box_m=box_m, box_sigma_m=None if box_m is None else 12.34,
    )  # fmt: skip


def retreating(rates: tuple[float, ...], *, years: int = 5, sigma_m: float = 10.0) -> list[FrontPosition]:
    """Fronts at 1000 m in the first year that go back along straight lines, one rate per lane."""
    return [
        position(2016 + n, tuple(1000 - rate * n for rate in rates), sigma_m=sigma_m, box_m=500 - 3.0 * n)
        for n in range(years)
    ]


def test_the_error_of_a_slope_is_students_t_times_the_errors_of_values_and_line() -> None:
    """Five yearly values: t(0.975, 3) = 3.1824, sum (t - mean t)^2 = 10."""
    assert slope_error([2016, 2017, 2018, 2019, 2020], [8, 10, 12, 10, 10], 0.0) == pytest.approx(
        3.18245 * 10 / 10**0.5, abs=1e-3
    )
    assert slope_error([2016, 2017, 2018, 2019, 2020], [0] * 5, 2.0) == pytest.approx(3.18245 * 2, abs=1e-3)


def test_a_rate_has_the_interval_of_values_and_lanes_where_the_fronts_lie_on_a_line() -> None:
    """Lanes at 18, 20 and 22 m per year: a standard deviation of 2 m per year between them."""
    row = front_trend_row(GLACIER, retreating((18.0, 20.0, 22.0)))
    half = 3.18245 * (10**2 / 10 + 2**2) ** 0.5
    assert row.rate_m_per_year == 20
    assert row.rate_low_m_per_year == pytest.approx(20 - half, abs=0.006)
    assert row.rate_high_m_per_year == pytest.approx(20 + half, abs=0.006)
    assert (row.n_years, row.first_year, row.last_year, row.detectable) == (5, 2016, 2020, True)
    assert row.mann_kendall_p == 0.016667, "2 of the 120 orders of five values"


def test_a_scattered_series_has_the_interval_of_its_scatter() -> None:
    """Sen's interval, of the slopes between the values, is wider than what errors of 1 m make."""
    placed = [position(2016 + n, (1000 - retreat,), sigma_m=1.0) for n, retreat in enumerate((0, 90, 20, 60, 30))]
    row = front_trend_row(GLACIER, placed)
    assert (row.rate_low_m_per_year, row.rate_high_m_per_year) == (-70, 90), "the steepest steps of five years"


def test_two_years_give_a_retreat_with_the_error_of_both_and_of_the_lanes() -> None:
    first, last = position(2016, (1000.0, 1010.0), sigma_m=3.0), position(2018, (988.0, 990.0), sigma_m=4.0)
    row = front_trend_row(GLACIER, [first, last])
    assert row.retreat_m == 16
    assert row.retreat_sigma_m == pytest.approx((3**2 + 4**2 + 32) ** 0.5, abs=0.05)
    assert (row.rate_m_per_year, row.box_rate_m_per_year, row.mann_kendall_p) == (None, None, None)


def test_a_single_lane_has_no_spread() -> None:
    row = front_trend_row(GLACIER, [position(2016, (100.0,), sigma_m=3.0), position(2017, (90.0,), sigma_m=4.0)])
    assert row.retreat_sigma_m == 5


def test_the_box_rate_needs_three_years_whose_box_was_observed() -> None:
    years = retreating((20.0,), years=3)
    row = front_trend_row(GLACIER, years)
    assert (row.rate_m_per_year, row.rate_low_m_per_year, row.box_rate_m_per_year) == (20, None, 3)
    without = [*years[:2], position(2018, (960.0,))]
    assert front_trend_row(GLACIER, without).box_rate_m_per_year is None


def test_the_box_retreat_counts_from_the_first_year_whose_box_was_observed() -> None:
    placed = [position(2016, (100.0,)), position(2017, (90.0,), box_m=50.0), position(2018, (80.0,), box_m=44.0)]
    assert [box_retreat_m(entry, placed) for entry in placed] == [None, 0, 6]
    assert box_retreat_m(placed[0], placed[:1]) is None


def test_a_row_has_its_numbers_or_its_reason() -> None:
    first, second = position(2016, (100.0,), box_m=50.0), position(2017, (91.26,), box_m=44.0)
    row = front_row(GLACIER, FLOW, second, [first, second])
    assert (row.position_m, row.position_sigma_m, row.retreat_m) == (91.3, 10.0, 8.7)
    assert (row.box_retreat_m, row.box_sigma_m, row.reason, row.flow_line) == (6.0, 12.3, None, "given")
    hidden = FrontPosition(year=2018, decimal_year=2018.8, position_m=None, sigma_m=5.0, reason="cloud")
    row = front_row(GLACIER, FLOW, hidden, [first, second])
    assert (row.position_m, row.position_sigma_m, row.retreat_m, row.reason) == (None, None, None, "cloud")


def test_glaciers_have_rows_for_each_year_and_a_rate_from_two_positions_on() -> None:
    twice, once = [position(2016, (100.0,)), position(2017, (90.0,))], [position(2016, (50.0,))]
    glaciers = [GLACIER.model_copy(update={"glacier_index": index, "rgi_id": f"G{index}"}) for index in (1, 2)]
    series: Any = SimpleNamespace(positions={1: twice, 2: once}.__getitem__, flows={1: FLOW, 2: FLOW})
    assert [(row.rgi_id, row.year) for row in front_rows(series, glaciers)] == [
        ("G1", 2016),
        ("G1", 2017),
        ("G2", 2016),
    ]
    assert [row.rgi_id for row in front_trend_rows(series, glaciers)] == ["G1"]
