"""Slope of a series of areas with its interval, its p and the smallest change it could have shown. Pure numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from stages.area.mann_kendall import mann_kendall_p
from stages.area.series import YearArea
from stages.common.tables_area import Trend
from stages.common.types import Float64Array

YEARS_FOR_A_TREND = 3
YEARS_FOR_SIGNIFICANCE = 5
"""Of the n! orders of n values two are the most extreme: p >= 2 / n!, which is 0.083 for n = 4 and 0.017 for n = 5."""

SIGNIFICANCE = 0.05
POWER = 0.80


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Trend of a series; slopes in km2 a year."""

    slope: float
    low: float
    """95 % interval of the slope (Sen 1968)."""
    high: float
    p: float
    """Mann-Kendall, exact, two-sided."""
    minimum_detectable: float

    @property
    def detectable(self) -> bool:
        """Significant, and as large as this series could have shown with 80 % power."""
        return self.p < SIGNIFICANCE and abs(self.slope) >= self.minimum_detectable


def minimum_detectable_change(times: Float64Array, *, sigma: float) -> float:
    """Slope a year that n independent values with error `sigma` show with 80 % power at 5 %, two-sided.

    (t(0.975, n-2) + t(0.80, n-2)) sigma / sqrt(sum (t - mean t)^2); 0.421 sigma a year for nine yearly values.
    """
    freedom = len(times) - 2
    quantiles = stats.t.ppf(1 - SIGNIFICANCE / 2, freedom) + stats.t.ppf(POWER, freedom)
    return float(quantiles * sigma / math.sqrt(((times - times.mean()) ** 2).sum()))


def fit_trend(times: Sequence[float], areas_km2: Sequence[float], sigmas_km2: Sequence[float]) -> Fit:
    """Theil-Sen slope, exact Mann-Kendall p and minimum detectable change of three values or more.

    Parameters
    ----------
    times
        Decimal years, ascending.
    areas_km2
        Unrounded, so that ties are real.
    sigmas_km2
        Error of each area. The minimum detectable change rests on the larger of their mean and the scatter about the
        line: buffer errors are partly the same every year, but a series that happens to lie on a line proves nothing.
    """
    t, y = np.asarray(times, dtype=np.float64), np.asarray(areas_km2, dtype=np.float64)
    slope, intercept, low, high = stats.theilslopes(y, t, 1 - SIGNIFICANCE)
    scatter = math.sqrt(float(((y - intercept - slope * t) ** 2).sum()) / (len(t) - 2))
    sigma = max(scatter, float(np.mean(sigmas_km2)))
    return Fit(
        slope=float(slope),
        low=float(low),
        high=float(high),
        p=mann_kendall_p(list(areas_km2)),
        minimum_detectable=minimum_detectable_change(t, sigma=sigma),
    )


def theil_sen(times: Sequence[float], areas_km2: Sequence[float]) -> float:
    """Slope in km2 a year."""
    return float(stats.theilslopes(np.asarray(areas_km2), np.asarray(times))[0])


def make_trend(series: Sequence[YearArea], *, common_pixels_fraction: float) -> Trend:
    """trend.json from the years measured, in their order."""
    used = [one for one in series if one.common_km2 is not None]
    areas = [one.common_km2 for one in used if one.common_km2 is not None]
    excluded = [one.year for one in series if one.common_km2 is None]
    fit = None
    if len(used) >= YEARS_FOR_A_TREND:
        fit = fit_trend([one.decimal_year for one in used], areas, [one.common_sigma_km2 for one in used])
    sentences = [describe(fit, len(used)), *_caveats(excluded, [one.year for one in used if not one.dated])]
    return Trend(
        n_years=len(used),
        years=[one.year for one in used],
        excluded_years=excluded,
        common_pixels_fraction=common_pixels_fraction,
        statement="; ".join(sentences),
        **(_numbers(fit, areas[0]) if fit else {}),
    )


def _numbers(fit: Fit, first_km2: float) -> dict[str, Any]:
    return {
        "slope_km2_per_year": fit.slope,
        "slope_low_km2_per_year": fit.low,
        "slope_high_km2_per_year": fit.high,
        "slope_pct_per_year": 100 * fit.slope / first_km2 if first_km2 > 0 else None,
        "mann_kendall_p": fit.p,
        "minimum_detectable_km2_per_year": fit.minimum_detectable,
        "detectable": fit.detectable,
    }


def describe(fit: Fit | None, n_years: int) -> str:
    """What the series says, and what it cannot say."""
    if fit is None:
        few = {0: "No year was seen well enough", 1: "One year gives an area", 2: "Two years give a difference"}
        return f"{few[n_years]}; a trend needs at least three years"
    digits = _digits(fit.minimum_detectable)
    numbers = (
        f"{fit.slope:+.{digits}f} km2 a year (95 %: {fit.low:+.{digits}f} to {fit.high:+.{digits}f}; p = {fit.p:.2g}; "
        f"detectable: {fit.minimum_detectable:.{digits}f})"
    )
    if n_years < YEARS_FOR_SIGNIFICANCE:
        return f"Not detectable: {numbers}; with {n_years} years no p below {SIGNIFICANCE} exists"
    if not fit.detectable:
        bound = f"{fit.minimum_detectable:.{digits}f}"
        return f"Not detectable: {numbers}; a change below {bound} km2 a year cannot be told from none"
    return numbers


def _digits(value: float) -> int:
    """Decimals that show two significant digits of `value`."""
    return min(max(1 - math.floor(math.log10(value)), 0), 6) if value > 0 else 2


def _caveats(excluded: Sequence[int], undated: Sequence[int]) -> list[str]:
    named = [
        (excluded, "left out, too little of the AOI seen"),
        (undated, "day unknown, mid-year assumed"),
    ]
    return [f"{', '.join(map(str, years))}: {why}" for years, why in named if years]
