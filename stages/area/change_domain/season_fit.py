"""Fit a change per year beside the effect of the season's day, and split the error of a year. Pure numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.area.quantiles import t_beyond, t_quantile
from stages.area.trends.fit import POWER, SIGNIFICANCE, YEARS_FOR_SIGNIFICANCE
from stages.common.types import Float64Array

YEARS_FOR_SEASON = 7
"""Fewest years from which the effect of the day is estimated: below, a degree of freedom is worth more."""

YEAR_DAYS = 365.25

OUTLIER = 3.5
"""Robust standard deviations beyond which a value is an outlier (Iglewicz and Hoaglin 1993)."""

TOLD_APART = 0.1
"""Least part of the days' variance that the years do not explain: below, the day cannot be told from the trend."""


@dataclass(frozen=True, kw_only=True)
class SeasonFit:
    """Line through a series, in the values' unit; the effect of the season's day is taken out where it was fitted."""

    slope: float
    """Least-squares slope per year."""
    own_se: float
    """Error of the slope by the years' own errors, one standard error."""
    se: float
    """Error of the slope: the years' own errors, and how far the error that all years share can drift."""
    freedom: float
    """Degrees of freedom of `se` (Welch and Satterthwaite)."""
    sigma_own: float
    """Scatter about the fit, or what is known to be the least: one sigma of what a year does not share with others."""
    sigma_season: float
    """Standard deviation of the day's effect over the years; 0 where it was not fitted."""
    per_day: float | None
    """Effect of a day later in the season; None where it was not fitted."""
    effects: tuple[float, ...]
    """Effect of each value's day; zeros where it was not fitted."""
    first: float
    """Fitted value of the first year, at the mean day."""
    n: int
    """Number of values."""

    def ends(self, gain_sigma: float = 0.0) -> tuple[float, float] | None:
        """Return the 95 % interval of the true slope; None for fewer than five years.

        A map shows a true slope s as g s, g being 1 give or take `gain_sigma`: the interval holds each s of which the
        fitted slope is within t hypot(se, gain_sigma s) (Fieller 1954). It leaves 0 out where it does so without gain.
        """
        if self.n < YEARS_FOR_SIGNIFICANCE:
            return None
        t = t_quantile(1 - SIGNIFICANCE / 2, self.freedom)
        rest = 1 - (t * gain_sigma) ** 2
        half = t * math.sqrt((gain_sigma * self.slope) ** 2 + rest * self.se**2)
        return (self.slope - half) / rest, (self.slope + half) / rest

    @property
    def p(self) -> float:
        """Two-sided p of the slope."""
        if self.se == 0:
            return 1.0 if self.slope == 0 else 0.0
        return 2 * t_beyond(abs(self.slope) / self.se, self.freedom)

    @property
    def minimum_detectable(self) -> float:
        """Slope that such a series shows with 80 % power at 5 %, two-sided."""
        quantiles = t_quantile(1 - SIGNIFICANCE / 2, self.freedom) + t_quantile(POWER, self.freedom)
        return quantiles * self.se


def fit_season(
    times: Sequence[float], values: Sequence[float], days: Sequence[float | None], *, drift: float,
    sigma_least: float = 0.0,
) -> SeasonFit:  # fmt: skip
    """Fit value = a + slope (t - mean t) + per_day (day - mean day) to three values or more, by least squares.

    Light and snow change over a season, and the maps with them: a series whose scenes come earlier every year drifts.
    The day is fitted where `YEARS_FOR_SEASON` values have one, and two differ. What is left is the years' own error.

    Parameters
    ----------
    times
        Decimal years.
    days
        Day of the season of each value (`days_of_season`); None where unknown.
    drift
        One sigma of the drift per year of the error that all years share: it looks like change, and no series shows it.
    sigma_least
        Least own error of a year, where it is known: a short series may scatter less by chance.
    """
    t, y = _centred(times), _centred(values)
    days_known = [day for day in days if day is not None]
    effect = _centred(days_known) if len(days_known) == len(t) >= YEARS_FOR_SEASON else [0.0] * len(t)
    tt, dd, td = _product(t, t), _product(effect, effect), _product(t, effect)
    det = tt * dd - td * td
    is_fitted = det > TOLD_APART * tt * dd > 0
    per_day = (tt * _product(effect, y) - td * _product(t, y)) / det if is_fitted else 0.0
    slope = (_product(t, y) - per_day * td) / tt
    residuals = [value - slope * time - per_day * day for value, time, day in zip(y, t, effect, strict=True)]
    freedom = len(t) - (3 if is_fitted else 2)
    sigma = max(math.sqrt(_product(residuals, residuals) / freedom), sigma_least)
    own = sigma * math.sqrt(dd / det if is_fitted else 1 / tt)
    return SeasonFit(
        slope=slope,
        own_se=own,
        se=math.hypot(own, drift),
        freedom=_freedom(own, drift, freedom),
        sigma_own=sigma,
        sigma_season=abs(per_day) * math.sqrt(dd / (len(t) - 1)),
        per_day=per_day if is_fitted else None,
        effects=tuple(per_day * day if is_fitted else 0.0 for day in effect),
        first=math.fsum(values) / len(t) + slope * t[0],
        n=len(t),
    )


def _centred(values: Sequence[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    return [value - mean for value in values]


def _product(first: Sequence[float], second: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(first, second, strict=True))


def _freedom(own: float, drift: float, freedom: int) -> float:
    """Return the degrees of freedom of hypot(own, drift), where `drift` is taken as known."""
    if own == 0:
        return float(freedom)
    return float(freedom * (1 + (drift / own) ** 2) ** 2)


def days_of_season(days_of_year: Sequence[float | None]) -> list[float | None]:
    """Return days from the first known one, at most half a year away: a season may go over the turn of the year."""
    first = next((day for day in days_of_year if day is not None), 0.0)
    half = YEAR_DAYS / 2
    return [None if day is None else (day - first + half) % YEAR_DAYS - half for day in days_of_year]


def outliers(control: Float64Array, *, excess_min: float) -> list[bool]:
    """Return which years map more ice on ground without glaciers than the other years do.

    More than `OUTLIER` robust standard deviations above the median (1.4826 times the median distance from it), and more
    than `excess_min` above it.
    """
    middle = float(np.median(control))
    spread = 1.4826 * float(np.median(np.abs(control - middle)))
    return [bool(value - middle > max(OUTLIER * spread, excess_min)) for value in control]
