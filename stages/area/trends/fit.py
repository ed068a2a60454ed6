"""Fit the slope of a series with its interval, its p and the smallest change it could have shown. Pure numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.area.quantiles import normal_quantile, t_quantile
from stages.area.trends.mann_kendall import mann_kendall_p, sen_rank
from stages.common.display.change_words import leaves_zero_out
from stages.common.types import Float64Array

YEARS_FOR_A_TREND = 3
"""Fewest years whose slope is stated."""
YEARS_FOR_SIGNIFICANCE = 5
"""Fewest years that can be significant at 5 %.

Of the n! orders of n values two are the most extreme: p >= 2 / n!, which is 0.083 for n = 4 and 0.017 for n = 5. Sen's
interval is that test turned round: with fewer than five years it excludes no slope at 95 %.
"""

SIGNIFICANCE = 0.05
"""Largest p, exclusive, that counts as significant."""

POWER = 0.80
"""Chance that a change of the detectable size is found."""

ROUNDING = 1e-9
"""Residuals this small, relative to the values, come from floating-point arithmetic."""

SCATTER, PROPAGATED, SEASON = "scatter about the line", "error of each year's area", "spread within a season"
"""Sources of a year's error: the largest makes `Fit.sigma`."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Trend of a series; slopes are in the values' unit per year."""

    slope: float
    """Theil-Sen slope."""
    low: float | None
    """Lower end of the slope's 95 % interval: Sen's (1968), at least as wide as `sigma` alone makes it.

    None for fewer than five years.
    """
    high: float | None
    """Upper end of the slope's 95 % interval; None for fewer than five years."""
    p: float
    """Two-sided p of the exact Mann-Kendall test."""
    minimum_detectable: float
    """Slope that the series could have shown with 80 % power at 5 %, by the longer side of its interval."""
    sigma: float
    """One sigma of a value: the largest of the sources."""
    sigma_source: str
    """`SCATTER`, `PROPAGATED` or `SEASON`."""
    implied_rho: float | None
    """Correlation of the years' errors at which they explain the scatter; None where the scatter is larger, or 0."""
    autocorrelation: float | None
    """Autocorrelation of the residuals at lag one; None where all residuals are negligible."""
    effective_n: float
    """Independent values that the series is worth; `n` unless neighbouring years are alike."""
    n: int
    """Number of values."""

    @property
    def detectable(self) -> bool:
        """Whether the 95 % interval leaves 0 out; p is then below 0.05 too, as Sen's interval is its test inverted."""
        return leaves_zero_out(self.low, self.high)

    @property
    def persistent(self) -> bool:
        """Whether neighbouring residuals are more alike than chance makes them."""
        return self.effective_n < self.n


def minimum_detectable_change(times: Float64Array, *, sigma: float) -> float:
    """Return the slope per year that n independent values with error `sigma` show with 80 % power at 5 %, two-sided.

    (t(0.975, n-2) + t(0.80, n-2)) sigma / sqrt(sum (t - mean t)^2); 0.421 sigma per year for nine yearly values.
    """
    freedom = len(times) - 2
    quantiles = t_quantile(1 - SIGNIFICANCE / 2, freedom) + t_quantile(POWER, freedom)
    return float(quantiles * slope_sigma(times, sigma=sigma))


def detectable_over_half(n: int) -> float:
    """Return the slope that n values show with 80 % power over half of its 95 % interval."""
    interval, power = t_quantile(1 - SIGNIFICANCE / 2, n - 2), t_quantile(POWER, n - 2)
    return (interval + power) / interval


def slope_sigma(times: Float64Array, *, sigma: float) -> float:
    """Return the error of a slope through values with independent errors: sigma / sqrt(sum (t - mean t)^2)."""
    return float(sigma / math.sqrt(((times - times.mean()) ** 2).sum()))


def sen_interval(times: Float64Array, values: Float64Array) -> tuple[float, float]:
    """Return the 95 % interval of the slope from the scatter alone (Sen 1968), by the exact test."""
    first, second = np.triu_indices(len(times), 1)
    slopes = np.sort((values[second] - values[first]) / (times[second] - times[first]))
    rank = max(sen_rank(len(times), SIGNIFICANCE), 1)
    return float(slopes[rank - 1]), float(slopes[-rank])


def autocorrelation(residuals: Float64Array, *, negligible: float) -> float | None:
    """Return the correlation of neighbouring residuals, in the order of time; None where all are negligible."""
    centred = residuals - residuals.mean()
    largest = float(np.abs(centred).max())
    if largest <= negligible:
        return None
    scaled = centred / largest  # squares of the tiniest doubles would vanish
    return float((scaled[1:] * scaled[:-1]).sum() / (scaled**2).sum())


def chance_bound(n: int) -> float:
    """Return the autocorrelation at lag one that n independent values exceed in 2.5 % of series (Anderson 1942)."""
    return (-1 + normal_quantile(0.975) * math.sqrt(n - 2)) / (n - 1)


def effective_size(n: int, r1: float | None) -> float:
    """Return how many independent values n persistent ones are worth: n (1 - r1) / (1 + r1).

    Bayley and Hammersley (1946), Santer et al. (2000). n itself unless r1 is above what chance gives: in a short series
    a smaller r1 says nothing.
    """
    return n * (1 - r1) / (1 + r1) if r1 is not None and r1 > chance_bound(n) else float(n)


def fit_trend(
    times: Sequence[float],
    values: Sequence[float],
    sigmas: Sequence[float],
    *,
    rho: float = 0.0,
    seasons: Sequence[float] = (),
) -> Fit:
    """Fit Theil-Sen slope, exact Mann-Kendall p and minimum detectable change to three values or more.

    Scatter is about median(y - slope t): SciPy's line, median(y) - slope x median(t), can lie far beside steep values.

    Parameters
    ----------
    times
        Decimal years, ascending.
    values
        Unrounded, so that ties are real.
    sigmas
        One sigma of each value. The minimum detectable change and the interval rest on the largest of their root mean
        square, the scatter about the line and the spread within seasons: errors are partly the same every year, but a
        series that happens to lie on a line proves nothing.
    rho
        Correlation of the errors of two years. What they share moves the series, not its slope: the propagated error
        counts sqrt(1 - rho) times.
    seasons
        Spread within the season of each year that has several passes.
    """
    t, y, n = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64), len(times)
    slope, sen = theil_sen(times, values), sen_interval(t, y)
    residuals = y - slope * t - np.median(y - slope * t)
    sources = {
        SCATTER: math.sqrt(float((residuals**2).sum()) / (n - 2)),
        PROPAGATED: _root_mean_square(sigmas) * math.sqrt(1 - rho),
        SEASON: _root_mean_square(seasons),
    }
    source = max(sources, key=lambda name: sources[name])
    r1 = autocorrelation(residuals, negligible=ROUNDING * float(np.abs(y).max()))
    effective_n = effective_size(n, r1)
    widened = math.sqrt(n / effective_n)
    half = t_quantile(1 - SIGNIFICANCE / 2, n - 2) * slope_sigma(t, sigma=sources[source]) * widened
    low, high = min(sen[0], slope - half), max(sen[1], slope + half)
    return Fit(
        slope=slope,
        low=low if n >= YEARS_FOR_SIGNIFICANCE else None,
        high=high if n >= YEARS_FOR_SIGNIFICANCE else None,
        p=mann_kendall_p(list(values)),
        minimum_detectable=_minimum(t, sources[source] * widened, longer_side=max(slope - sen[0], sen[1] - slope)),
        sigma=sources[source],
        sigma_source=source,
        implied_rho=implied_rho(sources[SCATTER], _root_mean_square(sigmas)),
        autocorrelation=r1,
        effective_n=effective_n,
        n=n,
    )


def _minimum(times: Float64Array, sigma: float, *, longer_side: float) -> float:
    """Return the larger of what `sigma` and the ranks, by the longer side of Sen's interval, let a series show."""
    return max(minimum_detectable_change(times, sigma=sigma), detectable_over_half(len(times)) * longer_side)


def implied_rho(scatter: float, error: float) -> float | None:
    """Return 1 - (scatter / error)^2, as errors that years share do not scatter: from few years a rough guess."""
    return 1 - (scatter / error) ** 2 if 0 < scatter < error else None


def theil_sen(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the Theil-Sen slope per year: the median of the slopes between any two values."""
    first, second = np.triu_indices(len(times), 1)
    t, y = np.asarray(times), np.asarray(values)
    return float(np.median((y[second] - y[first]) / (t[second] - t[first])))


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values)) if len(values) else 0.0
