"""Slopes, their intervals and the day's effect come out as they were put in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stages.area.change_domain.season_fit import days_of_season, fit_season, outliers

TIMES = [2016.0 + number for number in range(9)]
DAYS: list[float | None] = [3, -5, 0, 8, -2, 6, -7, 1, -4]
NO_DAYS: list[float | None] = [None] * 9


def test_the_slope_and_its_interval_are_those_of_a_regression() -> None:
    values = [5.0, 4.7, 4.9, 4.4, 4.6, 4.1, 4.0, 4.2, 3.7]
    fit, expected = fit_season(TIMES, values, NO_DAYS, drift=0.0), stats.linregress(TIMES, values)
    assert fit.slope == pytest.approx(expected.slope)
    assert fit.se == pytest.approx(expected.stderr)
    assert fit.p == pytest.approx(expected.pvalue)
    half = stats.t.ppf(0.975, 7) * expected.stderr
    assert fit.ends() == pytest.approx((expected.slope - half, expected.slope + half))


def test_the_effect_of_the_day_is_taken_out_of_the_slope() -> None:
    values = [50 - 0.15 * number + 0.04 * (DAYS[number] or 0) for number in range(9)]
    fit = fit_season(TIMES, values, DAYS, drift=0.0)
    assert fit.slope == pytest.approx(-0.15)
    assert fit.per_day == pytest.approx(0.04)
    assert fit.sigma_own == pytest.approx(0, abs=1e-9)
    assert fit.sigma_season == pytest.approx(0.04 * np.std([day or 0 for day in DAYS], ddof=1))
    assert abs(fit_season(TIMES, values, NO_DAYS, drift=0.0).slope + 0.15) > 0.005


@pytest.mark.parametrize(
    "days",
    [pytest.param([*DAYS[:8], None], id="a day is unknown"), pytest.param([float(n) for n in range(9)], id="one line")],
)
def test_the_day_is_left_out_where_it_cannot_be_told_from_the_trend(days: list[float | None]) -> None:
    fit = fit_season(TIMES, [5.0, 4.7, 4.9, 4.4, 4.6, 4.1, 4.0, 4.2, 3.7], days, drift=0.0)
    assert fit.per_day is None
    assert fit.sigma_season == 0


def test_a_perfect_line_proves_no_more_than_the_drift_allows() -> None:
    fit = fit_season(TIMES, [50 - 0.01 * number for number in range(9)], NO_DAYS, drift=0.02)
    assert fit.se == pytest.approx(0.02)
    assert fit.p > 0.5
    assert fit.minimum_detectable == pytest.approx((1.96 + 0.8416) * 0.02, rel=1e-3)


def test_the_drift_widens_the_interval() -> None:
    values = [5.0, 4.7, 4.9, 4.4, 4.6, 4.1, 4.0, 4.2, 3.7]
    without, widened = (fit_season(TIMES, values, NO_DAYS, drift=drift) for drift in (0.0, 0.05))
    assert widened.se == pytest.approx(math.hypot(without.se, 0.05))
    assert widened.freedom > without.freedom
    assert length(widened.ends()) > length(without.ends())


def length(ends: tuple[float, float] | None) -> float:
    assert ends is not None
    return ends[1] - ends[0]


@given(slope=st.floats(-2, 2), scatter=st.floats(0.01, 1), gain_sigma=st.floats(0, 0.3))
def test_the_interval_holds_each_true_slope_that_may_be_mapped_so(
    slope: float, scatter: float, gain_sigma: float
) -> None:
    values = [slope * number + scatter * (number % 2) for number in range(9)]
    fit = fit_season(TIMES, values, NO_DAYS, drift=0.02)
    t = stats.t.ppf(0.975, fit.freedom)
    ends = fit.ends(gain_sigma)
    assert ends is not None
    for true in ends:
        assert abs(fit.slope - true) == pytest.approx(t * math.hypot(fit.se, gain_sigma * true), rel=1e-4)
    plain = fit.ends()
    assert plain is not None
    assert (ends[0] <= 0 <= ends[1]) == (plain[0] <= 0 <= plain[1]), "the gain neither hides a change nor makes one"


def test_a_true_slope_is_in_the_interval_in_95_of_100_terrains_that_map_it_differently() -> None:
    rng = np.random.default_rng(7)
    holds = []
    for _ in range(2000):
        gain, true = 1 + 0.15 * rng.standard_normal(), -0.5
        values = [gain * true * number + 0.3 * rng.standard_normal() for number in range(9)]
        ends = fit_season(TIMES, values, NO_DAYS, drift=0.0).ends(0.15)
        assert ends is not None
        holds.append(ends[0] <= true <= ends[1])
    assert 0.94 < np.mean(holds) < 0.98


def test_fewer_than_five_years_have_no_interval() -> None:
    fit = fit_season(TIMES[:4], [5.0, 4.8, 4.7, 4.4], NO_DAYS[:4], drift=0.0)
    assert fit.ends() is None
    assert fit.slope == pytest.approx(-0.19)


def test_series_without_change_are_called_changed_as_often_as_five_in_a_hundred() -> None:
    rng = np.random.default_rng(5)
    fits = [fit_season(TIMES, rng.standard_normal(9).tolist(), DAYS, drift=0.0) for _ in range(2000)]
    assert 0.04 < np.mean([fit.p < 0.05 for fit in fits]) < 0.06


def test_a_season_goes_over_the_turn_of_the_year() -> None:
    assert days_of_season([350.0, 5.0, None, 340.0]) == [0.0, pytest.approx(20.25), None, -10.0]


def test_a_year_stands_out_by_much_more_ice_than_the_others_where_there_is_none() -> None:
    control = np.array([0.51, 0.50, 0.51, 1.08, 0.50, 0.66, 0.51, 0.57, 0.46])
    assert outliers(control, excess_min=0.3) == [False, False, False, True, *[False] * 5]
    assert not any(outliers(control, excess_min=0.6))
    snowy = np.array([2.55, 2.33, 3.06, 5.37, 2.23, 2.18, 2.07, 3.36, 3.2])
    assert outliers(snowy, excess_min=0.15) == [False] * 3 + [True] + [False] * 5
    assert not any(outliers(np.array([2.8, 2.7, 3.4, 3.2, 2.6, 3.1, 2.4, 2.5, 2.7]), excess_min=0.3))
