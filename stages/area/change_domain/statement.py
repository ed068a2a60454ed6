"""The trend of the change product in a sentence and in numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stages.area.change_domain.change_year import ChangeYear
from stages.area.change_domain.season_fit import SeasonFit
from stages.common.display.change_words import AREA, Rate, leaves_zero_out, sentence
from stages.common.display.numbers import decimals_for, number_text

Ends = tuple[float, float] | None
"""Both ends of a 95 % interval, km2 a year; None for fewer than five years."""


def minimum_km2(fit: SeasonFit, beyond: float) -> float:
    """Return the smallest slope detectable, km2 a year; what changes `beyond` the ground hides as much more."""
    return fit.minimum_detectable + abs(beyond)


def change_sentence(fit: SeasonFit | None, used: Sequence[ChangeYear], ends: Ends, beyond: float) -> str:
    """State the trend of the change product, or why there is none."""
    if fit is None:
        return "A trend of the change product needs at least three years that are observed well and free of early snow"
    first, last, (low, high) = used[0].year_area, used[-1].year_area, ends or (None, None)
    rate = Rate(
        per_year=fit.slope, low=low, high=high, minimum=minimum_km2(fit, beyond), first_year=first.year,
        last_year=last.year, years=last.decimal_year - first.decimal_year, first=fit.first if fit.first > 0 else None,
    )  # fmt: skip
    return sentence(rate, AREA)


def caveats(fit: SeasonFit | None, flagged: Sequence[int], beyond: float = 0.0) -> list[str]:
    """Return what a reader must know beside the trend, one phrase each."""
    phrases = []
    if flagged:
        years = ", ".join(map(str, flagged))
        phrases.append(f"{years}: left out, as much more ice than in other years is mapped where no glacier can be")
    if fit and fit.per_day is not None:
        digits = decimals_for(fit.sigma_own)
        effect = number_text(fit.sigma_season, digits)
        phrases.append(f"the day of the scene, which moves the area by {effect} km² (one sigma), is taken out")
    if beyond:
        way = "gained" if beyond > 0 else "lost"
        rate = number_text(abs(beyond), decimals_for(abs(beyond)))
        phrases.append(
            f"{rate} km² a year is {way} beyond the ground that the product covers, by which the interval is wider"
        )
    return phrases


def trend_numbers(fit: SeasonFit, used: Sequence[ChangeYear], ends: Ends, beyond: float) -> dict[str, Any]:
    """Return the numbers of change_trend.json that rest on the fit."""
    low, high = ends or (None, None)
    shared = _shared_sigma_km2(fit, used)
    whole = shared**2 + fit.sigma_season**2 + fit.sigma_own**2
    return {
        "slope_km2_per_year": fit.slope,
        "slope_low_km2_per_year": low,
        "slope_high_km2_per_year": high,
        "control_slope_km2_per_year": beyond,
        "slope_pct_per_year": 100 * fit.slope / fit.first if fit.first > 0 else None,
        "p": fit.p,
        "minimum_detectable_km2_per_year": minimum_km2(fit, beyond),
        "detectable": leaves_zero_out(low, high),
        "first_area_km2": max(fit.first, 0.0),
        "sigma_own_km2": fit.sigma_own,
        "sigma_season_km2": fit.sigma_season,
        "sigma_shared_km2": shared,
        "season_km2_per_day": fit.per_day,
        "own_se_km2_per_year": fit.own_se,
        "slope_se_km2_per_year": fit.se,
        "correlation_between_years": shared**2 / whole if whole > 0 else None,
    }


def _shared_sigma_km2(fit: SeasonFit, used: Sequence[ChangeYear]) -> float:
    """Return the part of the stated error of an area (held-out blocks, boundary) that no series of years shows."""
    stated = sum(year.year_area.common_sigma_km2**2 for year in used) / len(used)
    return math.sqrt(max(stated - fit.sigma_own**2 - fit.sigma_season**2, 0.0))
