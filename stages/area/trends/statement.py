"""Make trend.json: the trend of the common area in numbers, and in one honest sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stages.area.error.interval import Z, change_sigma
from stages.area.trends.fit import YEARS_FOR_A_TREND, Fit, fit_trend
from stages.area.trends.glacier_trend import GlacierTrends, area_rate
from stages.area.year.year_area import YearArea
from stages.common.display.change_words import AREA, sentence
from stages.common.tables.area import Trend

MOST_OF_AOI = 0.8
"""Fraction of the AOI's pixels below which the sentence says that the trend is of a part of it."""


def make_trend(
    year_areas: Sequence[YearArea], glaciers: GlacierTrends, *, common_pixels_fraction: float, rho: float
) -> Trend:
    """Make trend.json from the years measured, in their order.

    Parameters
    ----------
    common_pixels_fraction
        Fraction of the AOI's pixels that is common to all years.
    rho
        Correlation of the errors of two years.
    """
    used = [year_area for year_area in year_areas if year_area.common_km2 is not None]
    fit = fit_series(used, rho=rho) if len(used) >= YEARS_FOR_A_TREND else None
    return Trend(
        n_years=len(used),
        years=[year_area.year for year_area in used],
        excluded_years=[year_area.year for year_area in year_areas if year_area.common_km2 is None],
        common_pixels_fraction=common_pixels_fraction,
        statement="; ".join([trend_sentence(fit, used), *caveats(fit, year_areas, common_pixels_fraction)]),
        glaciers_tested=len(glaciers.rows),
        glaciers_detectable=sum(row.detectable for row in glaciers.rows),
        glaciers_note=glaciers.note,
        **(_slope(fit, common_km2(used)[0]) if fit else {}),
        **(_change(used, rho=rho) if len(used) > 1 else {}),
    )


def common_km2(used: Sequence[YearArea]) -> list[float]:
    """Return the common areas of the years that have one."""
    return [year_area.common_km2 for year_area in used if year_area.common_km2 is not None]


def fit_series(used: Sequence[YearArea], *, rho: float) -> Fit:
    """Fit the trend of the common area to the years used."""
    seasons = [year_area.sigma_season_km2 for year_area in used if year_area.sigma_season_km2 is not None]
    times = [year_area.decimal_year for year_area in used]
    sigmas = [year_area.common_sigma_km2 for year_area in used]
    return fit_trend(times, common_km2(used), sigmas, rho=rho, seasons=seasons)


def _slope(fit: Fit, first_km2: float) -> dict[str, Any]:
    return {
        "slope_km2_per_year": fit.slope,
        "slope_low_km2_per_year": fit.low,
        "slope_high_km2_per_year": fit.high,
        "slope_pct_per_year": 100 * fit.slope / first_km2 if first_km2 > 0 else None,
        "mann_kendall_p": fit.p,
        "minimum_detectable_km2_per_year": fit.minimum_detectable,
        "detectable": fit.detectable,
        "sigma_km2": fit.sigma,
        "sigma_source": fit.sigma_source,
        "correlation_implied": fit.implied_rho,
        "autocorrelation": fit.autocorrelation,
    }


def _change(used: Sequence[YearArea], *, rho: float) -> dict[str, Any]:
    """Return the change from the first to the last year used; its interval and sigma come from those of the two areas.

    The spread within their seasons is added: it is an error not of the map but of the day that was mapped.
    """
    first, last = used[0], used[-1]
    change_km2 = common_km2([last])[0] - common_km2([first])[0]
    season_km2 = math.hypot(first.sigma_season_km2 or 0.0, last.sigma_season_km2 or 0.0)
    half_km2 = math.hypot(
        change_sigma(first.common_half_width_km2(95), last.common_half_width_km2(95), rho), Z[95] * season_km2
    )
    return {
        "change_km2": change_km2,
        "change_low_km2": change_km2 - half_km2,
        "change_high_km2": change_km2 + half_km2,
        "change_sigma_km2": math.hypot(change_sigma(first.common_sigma_km2, last.common_sigma_km2, rho), season_km2),
        "correlation_between_years": rho,
    }


def trend_sentence(fit: Fit | None, used: Sequence[YearArea]) -> str:
    """State the trend of the years used, or what the series cannot show."""
    if fit is None:
        few = {0: "No year was observed well enough", 1: "One year gives an area", 2: "Two years give a difference"}
        return f"{few[len(used)]}; a trend needs at least three years"
    return sentence(area_rate(fit, used, first_km2=common_km2(used)[0]), AREA)


def caveats(fit: Fit | None, year_areas: Sequence[YearArea], common_pixels_fraction: float = 1.0) -> list[str]:
    """Return what a reader must know beside the numbers, one phrase each."""
    excluded = [each.year for each in year_areas if each.common_km2 is None and not each.rejected]
    rejected = [each.year for each in year_areas if each.rejected]
    undated = [year_area.year for year_area in year_areas if year_area.common_km2 is not None and not year_area.dated]
    reasons = [
        (excluded, "left out, as too little of the AOI was observed"),
        (rejected, "left out, as a person who looked at the map rejected it"),
        (undated, "day unknown, the middle of the year is assumed"),
    ]
    phrases = [f"{', '.join(map(str, years))}: {reason}" for years, reason in reasons if years]
    phrases += [
        f"{each.year}: a person rejected the outline of {count} glacier{'s' * (count > 1)}, left out in every year"
        for each in year_areas
        if (count := len(each.rejected_glaciers)) and each.common_km2 is not None
    ]
    if fit and common_pixels_fraction < MOST_OF_AOI:
        phrases.append(
            f"over the {100 * common_pixels_fraction:.0f} % of the AOI that was observed in every one of these years"
        )
    if fit and fit.persistent:
        widened = math.sqrt(fit.n / fit.effective_n)
        phrases.append(
            f"neighbouring years are alike (r = {fit.autocorrelation:.2f}): {fit.n} years count as "
            f"{fit.effective_n:.1f}, and the detectable change is {widened:.1f} times as large"
        )
    return phrases
