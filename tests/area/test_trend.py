from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stages.area.mann_kendall import inversion_counts, mann_kendall_p, mann_kendall_s
from stages.area.series import YearArea, decimal_year
from stages.area.trend import fit_trend, make_trend, minimum_detectable_change
from tests.area.made import year_source


def order_with_s(n: int, s: int) -> list[int]:
    """1..n brought from rising order, one neighbouring swap after the other, to Mann-Kendall's S = `s`."""
    values = list(range(1, n + 1))
    while mann_kendall_s(values) > s:
        place = next(i for i in range(n - 1) if values[i] < values[i + 1])
        values[place], values[place + 1] = values[place + 1], values[place]
    return values


@pytest.mark.parametrize(("s", "p"), [(20, 0.0446), (18, 0.0752)])
def test_exact_p_of_nine_years(s: int, p: float) -> None:
    assert mann_kendall_p(order_with_s(9, s)) == pytest.approx(p, abs=5e-5)


@pytest.mark.parametrize(("n", "least"), [(3, 1 / 3), (4, 1 / 12), (5, 1 / 60)])
def test_least_p_of_few_years(n: int, least: float) -> None:
    assert mann_kendall_p(list(range(n))) == pytest.approx(least)


def test_variance_of_s_for_nine_years() -> None:
    counts = inversion_counts([1] * 9)
    assert sum(ways * (36 - 2 * falls) ** 2 for falls, ways in enumerate(counts)) / sum(counts) == pytest.approx(92)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=6))
@settings(max_examples=80, deadline=None)
def test_p_with_ties_is_that_of_all_permutations(values: list[int]) -> None:
    found = abs(mann_kendall_s(values))
    orders = [abs(mann_kendall_s(order)) >= found for order in permutations(values)]
    assert mann_kendall_p(values) == pytest.approx(sum(orders) / len(orders))


@given(st.permutations(range(8)))
@settings(max_examples=30, deadline=None)
def test_counted_distribution_agrees_with_scipy_without_ties(values: list[int]) -> None:
    counts, found = inversion_counts([1] * 8), abs(mann_kendall_s(values))
    extreme = sum(ways for falls, ways in enumerate(counts) if abs(28 - 2 * falls) >= found)
    assert extreme / sum(counts) == pytest.approx(stats.kendalltau(range(8), values, method="exact").pvalue)


def test_minimum_detectable_change_of_nine_years() -> None:
    assert minimum_detectable_change(np.arange(2016.0, 2025.0), sigma=1.0) == pytest.approx(0.421, abs=5e-4)
    assert minimum_detectable_change(np.arange(2016.0, 2025.0), sigma=1.44) == pytest.approx(0.61, abs=5e-3)


def test_a_line_gives_its_slope_and_the_buffer_decides_what_is_detectable() -> None:
    times = np.arange(9.0)
    exact = fit_trend(times.tolist(), (100 - 0.5 * times).tolist(), [0.2] * 9)
    assert (exact.slope, exact.low, exact.high) == pytest.approx((-0.5, -0.5, -0.5))
    assert exact.minimum_detectable == pytest.approx(0.0842, abs=1e-4)
    assert exact.detectable
    assert not fit_trend(times.tolist(), (100 - 0.5 * times).tolist(), [2.0] * 9).detectable


def test_scatter_counts_where_it_is_larger_than_the_buffer() -> None:
    areas = [10, 12, 9, 13, 10, 12, 9]
    assert fit_trend(range(7), areas, [0.01] * 7).minimum_detectable > 0.5


@given(st.lists(st.floats(0, 1e4), min_size=3, max_size=12), st.floats(0, 100))
@settings(max_examples=60, deadline=None)
def test_the_slope_lies_in_its_interval_and_p_is_a_probability(areas: list[float], sigma: float) -> None:
    fit = fit_trend([float(year) for year in range(len(areas))], areas, [sigma] * len(areas))
    assert fit.low <= fit.slope <= fit.high
    assert 0 < fit.p <= 1
    assert fit.minimum_detectable >= 0


def year_area(year: int, area: float | None, *, sigma: float = 0.1, dated: bool = True) -> YearArea:
    return YearArea(
        year=year, decimal_year=year + 0.8 if dated else year + 0.5, dated=dated, date=None, scene_ids="", baselines=(),
        mapped_km2=np.array([0.0, 100.0 if area is None else area]), unseen_km2=np.zeros(2), sigma_km2=sigma,
        common_km2=area, aoi_seen_km2=500.0, outlines_seen_km2=100.0, valid_fraction=1.0,
        speckle_km2=0.0, speckle_pieces=0,
    )  # fmt: skip


def series(areas: Sequence[float | None], **kwargs: float) -> list[YearArea]:
    return [year_area(2016 + index, area, **kwargs) for index, area in enumerate(areas)]


@pytest.mark.parametrize(
    ("areas", "words"),
    [
        pytest.param([None], "No year was seen well enough", id="0"),
        pytest.param([100.0], "One year gives an area; a trend needs at least three", id="1"),
        pytest.param([100.0, 99.0], "Two years give a difference; a trend needs at least three", id="2"),
    ],
)
def test_too_few_years_say_so(areas: list[float | None], words: str) -> None:
    trend = make_trend(series(areas), common_pixels_fraction=1.0)
    assert words in trend.statement
    assert trend.slope_km2_per_year is trend.mann_kendall_p is trend.detectable is None


def test_four_years_cannot_be_significant() -> None:
    trend = make_trend(series([100.0, 90.0, 80.0, 70.0]), common_pixels_fraction=1.0)
    assert trend.detectable is False
    assert "with 4 years no p below 0.05 exists" in trend.statement


def test_a_clear_loss_is_stated_with_its_numbers() -> None:
    trend = make_trend(series([100 - 0.5 * i for i in range(9)]), common_pixels_fraction=0.9)
    assert trend.detectable is True
    assert trend.statement == "-0.500 km2 a year (95 %: -0.500 to -0.500; p = 5.5e-06; detectable: 0.042)"
    assert trend.slope_pct_per_year == pytest.approx(-0.5)


def test_a_loss_below_what_the_series_can_show_is_not_detectable() -> None:
    trend = make_trend(series([144 - 0.2 * i for i in range(9)], sigma=1.44), common_pixels_fraction=1.0)
    assert trend.detectable is False
    assert trend.minimum_detectable_km2_per_year == pytest.approx(0.61, abs=0.01)
    assert trend.statement.startswith("Not detectable: -0.20 km2 a year")
    assert "below 0.61 km2 a year cannot be told from none" in trend.statement


def test_left_out_and_undated_years_are_named() -> None:
    made = [year_area(2016, 10.0), year_area(2017, None), year_area(2018, 9.0, dated=False)]
    trend = make_trend(made, common_pixels_fraction=1.0)
    assert (trend.years, trend.excluded_years, trend.n_years) == ([2016, 2018], [2017], 2)
    assert "2017: left out" in trend.statement
    assert "2018: day unknown, mid-year assumed" in trend.statement


def test_no_ice_at_all_gives_no_percentage() -> None:
    trend = make_trend(series([0.0, 0.0, 0.0], sigma=0.0), common_pixels_fraction=1.0)
    assert trend.slope_pct_per_year is None
    assert trend.detectable is False


@pytest.mark.parametrize(
    ("date", "time", "dated"),
    [("2020-07-02", 2020 + 183.5 / 366, True), ("2021-01-01T05:00:00Z", 2021 + 0.5 / 365, True), (None, 2020.5, False)],
)
def test_decimal_years(date: str | None, time: float, dated: bool) -> None:
    assert decimal_year(year_source(2020, date=date)) == (pytest.approx(time), dated)
