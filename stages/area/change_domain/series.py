"""Collect the change product year by year, and make its table and its trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stages.area.change_domain.domain import HIGH_MARGIN, ChangeDomain, changing_ice, find_domain, ice_on_high_margin
from stages.area.change_domain.season_fit import YEAR_DAYS, SeasonFit, days_of_season, fit_season, outliers
from stages.area.site import AreaSite
from stages.area.trends.fit import YEARS_FOR_A_TREND
from stages.area.year.year_area import YearArea
from stages.common.display.change_words import AREA, Rate, leaves_zero_out, sentence
from stages.common.display.numbers import decimals_for, number_text
from stages.common.geo.planes import Bits, Plane
from stages.common.params.area import ChangeParams
from stages.common.tables.change import ChangeAreaRow, ChangeTrend

NO_SLOPE = 1e-6
"""km2 a year, a square metre: below, a slope is that of rounding."""

Ends = tuple[float, float] | None
"""Both ends of a 95 % interval, km2 a year; None for fewer than five years."""


@dataclass(frozen=True)
class ChangeYear:
    """One year of the change product, unrounded."""

    year_area: YearArea
    ice_km2: float
    """Ice within the change domain, over the common pixels."""
    high_km2: float
    """Ice on the high margin, over the common pixels."""
    control_km2: float
    """Ice mapped beyond the change domain, over the common pixels, with that on the high margin."""


@dataclass(kw_only=True)
class ChangeSeries:
    """Collects the years of the change product."""

    site: AreaSite
    domain: ChangeDomain
    common: Bits
    """(H, W): pixels that were observed in every year that counts."""
    params: ChangeParams
    years: list[ChangeYear] = field(default_factory=list)
    left_out: list[YearArea] = field(default_factory=list)
    """Years of which too little was observed, or whose map a person rejected."""

    @classmethod
    def start(cls, site: AreaSite, heights: Plane | None, common: Bits, params: ChangeParams) -> ChangeSeries:
        """Return a series without any year yet."""
        return cls(site=site, domain=find_domain(site, heights, params), common=common, params=params)

    def add(self, year_area: YearArea, *, ice: Bits, observed: Bits) -> None:
        """Take a year's map: ice and observed pixels, both (H, W) within the AOI."""
        if year_area.common_km2 is None:
            self.left_out.append(year_area)
            return
        inside = changing_ice(self.domain, ice, observed)
        high = ice_on_high_margin(self.domain, ice, inside)
        km2 = self.site.areas_by_rows_km2(
            lambda rows: {
                "ice": inside[rows] & self.common[rows],
                "high": high[rows] & self.common[rows],
                "control": ice[rows] & self.domain.control[rows] & self.common[rows],
            }
        )
        sums = {name: float(by_glacier.sum()) for name, by_glacier in km2.items()}
        self.years.append(ChangeYear(year_area, sums["ice"], sums["high"], sums["control"]))

    @property
    def snowy(self) -> list[bool]:
        """Whether each year maps so much more ice than the others where no glacier can be that it is left out."""
        if len(self.years) < YEARS_FOR_A_TREND:
            return [False] * len(self.years)
        least = self.params.control_excess_max * float(self.site.outlines_km2.sum())
        return outliers(np.array([year.control_km2 for year in self.years]), excess_min=least)

    @property
    def used(self) -> list[ChangeYear]:
        """Years that the trend rests on."""
        return [year for year, is_snowy in zip(self.years, self.snowy, strict=True) if not is_snowy]

    @property
    def takes_high_margin(self) -> bool:
        """Whether the ice on the high margin grows, by the 95 % interval of its slope, and by more than errors drift.

        It is an advance then. Otherwise it is snow, of which each year has another amount, and counts as control.
        """
        used = self.used
        if len(used) < YEARS_FOR_A_TREND:
            return False
        high = _fit(used, [year.high_km2 for year in used], drift=0.0)
        low, _ = high.ends() or (0.0, 0.0)
        return low > 0 and high.slope > max(self._drift([year.ice_km2 for year in used]), NO_SLOPE)

    def _drift(self, ice_km2: Sequence[float]) -> float:
        """Return the drift of the error that all years share, km2 a year."""
        return self.params.shared_drift_pct_per_year / 100 * float(np.mean(ice_km2))

    def split_km2(self, years: Sequence[ChangeYear]) -> tuple[list[float], list[float]]:
        """Return the ice of years on the ground that counts, and beyond it."""
        takes_high = self.takes_high_margin
        high_km2 = [year.high_km2 if takes_high else 0.0 for year in years]
        inside_km2 = [year.ice_km2 + high for year, high in zip(years, high_km2, strict=True)]
        return inside_km2, [year.control_km2 - high for year, high in zip(years, high_km2, strict=True)]

    def fit(self) -> SeasonFit | None:
        """Fit the trend; None for fewer than three years."""
        used = self.used
        if len(used) < YEARS_FOR_A_TREND:
            return None
        ice_km2, _ = self.split_km2(used)
        return _fit(used, ice_km2, drift=self._drift(ice_km2))

    def control_slope(self) -> float:
        """Return the slope per year of the ice beyond the domain where its 95 % interval leaves 0 out, else 0.

        Snow and light come and go there; ice that grows or goes there steadily is glacier that the domain does not
        hold, such as an advance on high ground.
        """
        used = self.used
        control = _fit(used, self.split_km2(used)[1], drift=0.0)
        is_steady = leaves_zero_out(*(control.ends() or (None, None)))
        return control.slope if is_steady and abs(control.slope) > NO_SLOPE else 0.0

    def ends(self, fit: SeasonFit, beyond: float) -> Ends:
        """Return the 95 % interval of the slope, wider on the side of what changes `beyond` the ground that counts."""
        ends = fit.ends(self.params.gain_sigma)
        return ends and (ends[0] + min(beyond, 0.0), ends[1] + max(beyond, 0.0))

    def trend(self, fit: SeasonFit | None) -> ChangeTrend:
        """Make change_trend.json."""
        used, snowy = self.used, self.snowy
        beyond = self.control_slope() if fit else 0.0
        ends = self.ends(fit, beyond) if fit else None
        ground_km2, control_km2 = self._ground_km2()
        flagged = [year.year_area.year for year, is_snowy in zip(self.years, snowy, strict=True) if is_snowy]
        return ChangeTrend(
            n_years=len(used),
            years=[year.year_area.year for year in used],
            excluded_years=[year_area.year for year_area in self.left_out],
            flagged_years=flagged,
            statement="; ".join([change_sentence(fit, used, ends, beyond), *caveats(fit, flagged, beyond)]),
            domain_method=self.domain.method + (HIGH_MARGIN if self.takes_high_margin else ""),
            domain_km2=ground_km2,
            control_ground_km2=control_km2,
            **(_numbers(fit, used, ends, beyond) if fit else {}),
        )

    def _ground_km2(self) -> tuple[float, float]:
        """Return the common ground that counts, and that beyond it."""
        domain = self.domain
        selections = {"ground": domain.ground, "high": domain.high_margin, "control": domain.control}
        km2 = self.site.areas_by_rows_km2(
            lambda rows: {name: ground[rows] & self.common[rows] for name, ground in selections.items()}
        )
        high_km2 = float(km2["high"].sum()) if self.takes_high_margin else 0.0
        return float(km2["ground"].sum()) + high_km2, float(km2["control"].sum()) - high_km2

    def rows(self, fit: SeasonFit | None) -> list[ChangeAreaRow]:
        """Make the rows of change_area_by_year.csv, unrounded, in the order of the years."""
        effects = dict(zip((year.year_area.year for year in self.used), fit.effects, strict=True)) if fit else {}
        measured = [
            ChangeAreaRow(
                year=year.year_area.year, date=year.year_area.date, change_area_km2=ice_km2,
                adjusted_area_km2=_adjusted_km2(ice_km2, effects.get(year.year_area.year)), control_km2=control_km2,
                used=not is_snowy, reason="ice where no glacier can be: snow or cloud" if is_snowy else None,
            )
            for year, is_snowy, ice_km2, control_km2 in zip(
                self.years, self.snowy, *self.split_km2(self.years), strict=True
            )
        ]  # fmt: skip
        absent = [
            ChangeAreaRow(year=year_area.year, date=year_area.date, used=False, reason=_reason(year_area))
            for year_area in self.left_out
        ]
        return sorted([*measured, *absent], key=lambda row: row.year)


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


def _numbers(fit: SeasonFit, used: Sequence[ChangeYear], ends: Ends, beyond: float) -> dict[str, Any]:
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


def _reason(year_area: YearArea) -> str:
    return "a person rejected the map" if year_area.rejected else "too little observed"


def _adjusted_km2(ice_km2: float, effect: float | None) -> float | None:
    """Return the area without the effect of the scene's day; None for a year that is not used."""
    return None if effect is None else max(ice_km2 - effect, 0.0)


def _fit(used: Sequence[ChangeYear], km2: Sequence[float], *, drift: float) -> SeasonFit:
    times = [year.year_area.decimal_year for year in used]
    return fit_season(times, km2, days_of_season([_day_of_year(year.year_area) for year in used]), drift=drift)


def _day_of_year(year_area: YearArea) -> float | None:
    return (year_area.decimal_year % 1) * YEAR_DAYS if year_area.dated else None
