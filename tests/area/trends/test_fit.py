from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stages.area.trends.fit import (
    PROPAGATED,
    SCATTER,
    SEASON,
    autocorrelation,
    chance_bound,
    detectable_over_half,
    effective_size,
    fit_trend,
    implied_rho,
    minimum_detectable_change,
    sen_interval,
    theil_sen,
)
from stages.area.trends.mann_kendall import inversion_counts, mann_kendall_p, mann_kendall_s, sen_rank


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
    observed_s = abs(mann_kendall_s(values))
    orders = [abs(mann_kendall_s(order)) >= observed_s for order in permutations(values)]
    assert mann_kendall_p(values) == pytest.approx(sum(orders) / len(orders))


@given(st.permutations(range(8)))
@settings(max_examples=30, deadline=None)
def test_counted_distribution_agrees_with_scipy_without_ties(values: list[int]) -> None:
    counts, observed_s = inversion_counts([1] * 8), abs(mann_kendall_s(values))
    extreme = sum(ways for falls, ways in enumerate(counts) if abs(28 - 2 * falls) >= observed_s)
    assert extreme / sum(counts) == pytest.approx(stats.kendalltau(range(8), values, method="exact").pvalue)


def test_minimum_detectable_change_of_nine_years() -> None:
    assert minimum_detectable_change(np.arange(2016.0, 2025.0), sigma=1.0) == pytest.approx(0.421, abs=5e-4)
    assert minimum_detectable_change(np.arange(2016.0, 2025.0), sigma=1.44) == pytest.approx(0.61, abs=5e-3)


def test_a_line_gives_its_slope_and_the_buffer_decides_what_is_detectable() -> None:
    times = np.arange(9.0)
    exact = fit_trend(times.tolist(), (100 - 0.5 * times).tolist(), [0.2] * 9)
    half = 2.3646 * 0.2 / 60**0.5  # t(0.975, 7) sigma / sqrt(sum (t - mean t)^2): lying on a line proves nothing
    assert (exact.slope, exact.low, exact.high) == pytest.approx((-0.5, -0.5 - half, -0.5 + half), abs=1e-5)
    assert sen_interval(times, 100 - 0.5 * times) == pytest.approx((-0.5, -0.5))
    assert exact.minimum_detectable == pytest.approx(0.0842, abs=1e-4)
    assert exact.detectable
    assert not fit_trend(times.tolist(), (100 - 0.5 * times).tolist(), [2.0] * 9).detectable


SEEDED_RAIN = [1.26, 1.27, 1.12, 1.16, 1.03]
"""Double ratio in five years of cloud seeding: Hollander, Wolfe and Chicken (2014), example 9.1."""


def test_published_slope_and_p() -> None:
    assert mann_kendall_s(SEEDED_RAIN) == -6
    assert mann_kendall_p(SEEDED_RAIN) == pytest.approx(2 * 0.117, abs=1e-3)
    assert theil_sen(range(1, 6), SEEDED_RAIN) == pytest.approx(-0.056, abs=5e-4)


def test_published_s_of_four_values() -> None:
    """Gilbert (1987), section 16.4.1: S = 4, and 0.167 for one side."""
    assert mann_kendall_s([10, 15, 14, 20]) == 4
    assert mann_kendall_p([10, 15, 14, 20]) == pytest.approx(2 * 0.167, abs=1e-3)


def test_one_outlier_does_not_move_the_slope() -> None:
    times = np.arange(9.0)
    areas = 100 - 0.5 * times
    areas[4] = 20.0
    assert theil_sen(times.tolist(), areas.tolist()) == pytest.approx(-0.5)


def test_zero_change_is_called_significant_as_seldom_as_it_says() -> None:
    """200 series of nine years of noise: 5 % is 10, and more than 14 would be more than 7 %."""
    drawn = np.random.default_rng(6).normal(100, 1, (200, 9))
    fits = [fit_trend(range(9), series.tolist(), [1.0] * 9) for series in drawn]
    assert 1 <= sum(fit.p < 0.05 for fit in fits) <= 14
    assert sum(fit.detectable for fit in fits) <= 10


FALLING = [1.30, 1.29, 1.26, 1.20, 1.12, 1.02, 0.91, 0.78, 0.65, 0.52, 0.40]
"""Eleven falling years in which a glacier loses 69 % of its area, faster and faster."""


def test_eleven_falling_years_are_detected() -> None:
    fit = fit_trend(range(11), FALLING, [0.01] * 11)
    assert fit.p == pytest.approx(2 / 39916800)  # the most extreme of 11! orders
    assert fit.high is not None and fit.high < 0
    assert fit.detectable


def test_the_scatter_of_a_line_with_white_noise_is_that_of_the_noise() -> None:
    """500 steep series, against least squares on the same: about median(y) - slope x median(t), 1.4 to 1.5."""
    rng = np.random.default_rng(12)
    for n in (5, 9, 15):
        noise = rng.normal(size=(500, n))
        sigmas = [fit_trend(range(n), (-5.0 * np.arange(n) + row).tolist(), [0.0] * n).sigma for row in noise]
        squares = [np.polyfit(np.arange(n), row, 1, full=True)[1][0] for row in noise]
        ratios = np.array(sigmas) / np.sqrt(np.array(squares) / (n - 2))
        assert ratios.min() >= 1 - 1e-9  # least squares are the least
        assert ratios.mean() < 1.1
        assert ratios.max() < 1.5


@given(st.integers(5, 12), st.integers(0, 2**32 - 1), st.floats(-1, 1), st.floats(0, 2))
@settings(max_examples=100, deadline=None)
def test_detected_is_what_the_interval_says(n: int, seed: int, slope: float, sigma: float) -> None:
    values = slope * np.arange(n) + np.random.default_rng(seed).normal(size=n).round(1)
    fit = fit_trend(range(n), values.tolist(), [sigma] * n)
    assert fit.low is not None and fit.high is not None
    assert fit.detectable == (fit.low > 0 or fit.high < 0)
    assert not fit.detectable or fit.p < 0.05


def test_the_95_per_cent_interval_holds_a_planted_slope_in_95_per_cent_of_series() -> None:
    drawn = np.random.default_rng(7).normal(100 - 0.7 * np.arange(9), 1, (400, 9))
    ends = [sen_interval(np.arange(9.0), series) for series in drawn]
    assert 0.93 <= sum(low <= -0.7 <= high for low, high in ends) / 400 <= 0.98
    fits = [fit_trend(range(9), series.tolist(), [1.0] * 9) for series in drawn]  # and what is stated holds as many
    assert sum(fit.low <= -0.7 <= fit.high for fit in fits if fit.low is not None and fit.high is not None) >= 380


def test_a_change_as_large_as_is_detectable_is_found_in_most_series() -> None:
    """80 % is the power of the t test that the formula is made for; the exact rank test has 71 % with nine years."""
    least = minimum_detectable_change(np.arange(9.0), sigma=1.0)
    drawn = np.random.default_rng(8).normal(100 - least * np.arange(9), 1, (400, 9))
    assert 0.66 <= np.mean([mann_kendall_p(series.tolist()) < 0.05 for series in drawn]) <= 0.76


@pytest.mark.parametrize("n", [7, 9, 15])
def test_the_change_stated_as_detectable_is_found_in_four_of_five_series(n: int) -> None:
    """Of series that state no error: by the formula for sigma alone it is 55, 64 and 67 %, as the ranks decide too."""
    rng = np.random.default_rng(n)
    stated = [fit_trend(range(n), rng.normal(size=n).tolist(), [0.0] * n).minimum_detectable for _ in range(60)]
    found = [
        fit_trend(range(n), (slope * np.arange(n) + rng.normal(size=n)).tolist(), [0.0] * n).detectable
        for slope in stated
        for _ in range(10)
    ]
    assert 0.72 <= np.mean(found) <= 0.88


@given(st.integers(5, 12), st.integers(0, 2**32 - 1), st.floats(0, 2))
@settings(max_examples=60, deadline=None)
def test_no_smaller_change_is_called_detectable_than_the_interval_is_wide(n: int, seed: int, sigma: float) -> None:
    fit = fit_trend(range(n), np.random.default_rng(seed).normal(size=n).tolist(), [sigma] * n)
    assert fit.low is not None and fit.high is not None
    assert fit.minimum_detectable > max(fit.slope - fit.low, fit.high - fit.slope)


@pytest.mark.parametrize(
    ("values", "sigma", "rho", "seasons", "source", "size"),
    [
        pytest.param([0, 0, 0, 0, 0.0], 2.0, 0.0, [], PROPAGATED, 2.0, id="error of each year"),
        pytest.param([0, 0, 0, 0, 0.0], 2.0, 0.75, [], PROPAGATED, 1.0, id="three quarters of its square shared"),
        pytest.param([3, -3, 3, -3, 3.0], 2.0, 0.0, [], SCATTER, 24**0.5, id="scatter"),
        pytest.param([0, 0, 0, 0, 0.0], 2.0, 0.0, [3.0, 4.0], SEASON, 12.5**0.5, id="season"),
    ],
)
def test_the_largest_error_counts_and_is_named(
    values: list[float], sigma: float, rho: float, seasons: list[float], source: str, size: float
) -> None:
    fit = fit_trend(range(5), values, [sigma] * 5, rho=rho, seasons=seasons)
    assert fit.sigma_source == source
    assert fit.sigma == pytest.approx(size, abs=1e-3)
    by_errors = minimum_detectable_change(np.arange(5.0), sigma=fit.sigma)
    by_ranks = detectable_over_half(5) * max(end - fit.slope for end in sen_interval(np.arange(5.0), np.array(values)))
    assert fit.minimum_detectable == pytest.approx(max(by_errors, by_ranks))


@pytest.mark.parametrize(("n", "rank"), [(4, 0), (5, 1), (9, 9)])
def test_rank_of_sens_interval(n: int, rank: int) -> None:
    """No order of four is rare enough; of five only the one without a fall; of nine up to eight falls (|S| >= 20)."""
    assert sen_rank(n, 0.05) == rank


def test_sens_interval_is_the_ninth_slope_from_either_end_for_nine_years() -> None:
    """Values n^2: the slope between years i and j is i + j, so that the 36 slopes are 1, 2, 3, 3, 4, 4, 5, 5, 5, ..."""
    times = np.arange(9.0)
    assert sen_interval(times, times**2) == (5.0, 11.0)


@given(st.integers(5, 25), st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5))
@settings(max_examples=150, deadline=None)
def test_the_interval_leaves_zero_out_where_p_is_below_five_per_cent(n: int, seed: int, slope: float) -> None:
    """Of Sen's own interval, by the exact test; the stated one is never narrower."""
    values = slope * np.arange(n) + np.random.default_rng(seed).normal(size=n)
    fit = fit_trend(range(n), values.tolist(), [1.0] * n)
    low, high = sen_interval(np.arange(float(n)), values)
    assert (fit.p < 0.05) == (low > 0 or high < 0)
    assert fit.low is not None and fit.high is not None
    assert fit.low <= low <= fit.slope <= high <= fit.high


@pytest.mark.parametrize(
    ("scatter", "error", "rho"), [(1.0, 2.0, 0.75), (2.0, 2.0, None), (3.0, 2.0, None), (0.0, 2.0, None)]
)
def test_correlation_that_years_would_need(scatter: float, error: float, rho: float | None) -> None:
    assert implied_rho(scatter, error) == rho


def test_errors_that_years_share_imply_their_correlation() -> None:
    """Nine years whose errors are correlated by 0.6, 400 times."""
    rng = np.random.default_rng(5)
    shared, own = rng.normal(size=(400, 1)) * 0.6**0.5, rng.normal(size=(400, 9)) * 0.4**0.5
    scatter = [fit_trend(range(9), row.tolist(), [0.0] * 9).sigma for row in shared + own]
    implied = 1 - np.mean(np.square(scatter))
    assert implied == pytest.approx(0.6, abs=0.07)


def test_autocorrelation_of_known_series() -> None:
    assert autocorrelation(np.array([1.0, -1, 1, -1]), negligible=0) == pytest.approx(-0.75)
    assert autocorrelation(np.array([1.0, 1, -1, -1]), negligible=0) == pytest.approx(0.25)
    assert autocorrelation(np.array([5.0, 5, 5]), negligible=1e-9) is None
    assert autocorrelation(np.array([1e-200, 1e-200, -1e-200, -1e-200]), negligible=0) == pytest.approx(0.25)


def test_chance_seldom_passes_its_bound() -> None:
    """Anderson's (1942) bound is for long series; with nine values it is passed a little less often than it says."""
    drawn = np.random.default_rng(3).normal(size=(4000, 9))
    above = [(autocorrelation(row, negligible=0) or 0) > chance_bound(9) for row in drawn]
    assert chance_bound(9) == pytest.approx(0.523, abs=1e-3)
    assert 0.001 < np.mean(above) <= 0.025


def test_persistent_years_count_for_fewer() -> None:
    assert effective_size(9, 0.6) == pytest.approx(9 * 0.4 / 1.6)
    assert effective_size(9, 0.3) == effective_size(9, -0.8) == effective_size(9, None) == 9
    waves = np.concatenate([np.full(6, 1.0), np.full(6, -1.0), np.full(6, 1.0), np.full(6, -1.0)])
    fit = fit_trend(range(24), (100 + waves).tolist(), [0.1] * 24)
    assert fit.persistent
    r1 = fit.autocorrelation
    assert r1 is not None and r1 > 0.6
    plain = minimum_detectable_change(np.arange(24.0), sigma=fit.sigma)
    assert fit.minimum_detectable == pytest.approx(plain * np.sqrt((1 + r1) / (1 - r1)))
    half = 2.0739 * fit.sigma / 1150**0.5 * np.sqrt((1 + r1) / (1 - r1))  # t(0.975, 22), and sum (t - mean t)^2
    assert fit.low is not None and fit.high is not None
    assert (fit.low, fit.high) == pytest.approx((fit.slope - half, fit.slope + half), rel=1e-4)


def test_scatter_counts_where_it_is_larger_than_the_buffer() -> None:
    areas = [10, 12, 9, 13, 10, 12, 9]
    assert fit_trend(range(7), areas, [0.01] * 7).minimum_detectable > 0.5


@given(st.lists(st.floats(0, 1e4), min_size=3, max_size=12), st.floats(0, 100))
@settings(max_examples=60, deadline=None)
def test_the_slope_lies_in_its_interval_and_p_is_a_probability(areas: list[float], sigma: float) -> None:
    fit = fit_trend([float(year) for year in range(len(areas))], areas, [sigma] * len(areas))
    if len(areas) < 5:
        assert fit.low is fit.high is None
    else:
        assert fit.low is not None
        assert fit.high is not None
        assert fit.low <= fit.slope <= fit.high
    assert 0 < fit.p <= 1
    assert fit.minimum_detectable >= 0


def test_the_slope_is_that_of_scipy() -> None:
    random = np.random.default_rng(5)
    for n in (3, 4, 9, 30):
        times, values = np.sort(random.uniform(2000, 2025, n)), random.normal(size=n)
        assert theil_sen(times.tolist(), values.tolist()) == float(stats.theilslopes(values, times)[0])
