"""Collect the change product year by year, and make its table and its trend."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from stages.area.change_domain.change_year import ChangeYear
from stages.area.change_domain.domain import HIGH_MARGIN, ChangeDomain, changing_ice, find_domain, ice_on_high_margin
from stages.area.change_domain.season_fit import YEAR_DAYS, SeasonFit, days_of_season, fit_season, outliers
from stages.area.change_domain.several_maps import PassMap
from stages.area.change_domain.statement import Ends, caveats, change_sentence, trend_numbers
from stages.area.site import AreaSite
from stages.area.trends.fit import YEARS_FOR_A_TREND
from stages.area.year.season import Season, sample_std
from stages.area.year.year_area import YearArea
from stages.common.display.change_words import leaves_zero_out
from stages.common.geo.planes import Bits, Plane
from stages.common.params.area import ChangeParams
from stages.common.tables.change import ChangeAreaRow, ChangeTrend
from stages.common.types import BoolArray

NO_SLOPE = 1e-6
"""km2 a year, a square metre: below, a slope is that of rounding."""


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

    def add(
        self, year_area: YearArea, *, ice: Bits, observed: Bits, members: Iterable[Bits] = (),
        passes: Sequence[PassMap] = (),
    ) -> None:  # fmt: skip
        """Take a year's map, ice and observed pixels, (H, W) within the AOI; and its other maps, where it has any."""
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
        self.years.append(
            ChangeYear(
                year_area, sums["ice"], sums["high"], sums["control"],
                members_km2=tuple(self._ice_km2(member, observed) for member in members),
                passes_sigma_km2=self._passes_sigma_km2(ice, observed, passes, ice_km2=sums["ice"]),
            )
        )  # fmt: skip

    def _ice_km2(self, ice: Bits, observed: Bits, seen_by_all: Sequence[Bits] = ()) -> float:
        """Return the ice of a map within the domain, over the common pixels, and those that all passes have seen."""
        inside = changing_ice(self.domain, ice, observed)

        def counted(rows: slice) -> dict[str, BoolArray]:
            return {"ice": np.logical_and.reduce([plane[rows] for plane in (inside, self.common, *seen_by_all)])}

        return float(self.site.areas_by_rows_km2(counted)["ice"].sum())

    def _passes_sigma_km2(
        self, ice: Bits, observed: Bits, passes: Sequence[PassMap], *, ice_km2: float
    ) -> float | None:
        """Return the standard deviation of a single pass of a year, scaled to the year's ice (`Season.sigma_km2`)."""
        if len(passes) < 2:
            return None
        seen = [each.seen for each in passes]
        spread_km2 = sample_std([self._ice_km2(each.ice, each.seen, seen) for each in passes])
        compared_km2 = self._ice_km2(ice, observed, seen)
        return Season(rows=(), spread_km2=spread_km2, consensus_km2=compared_km2).sigma_km2(ice_km2)

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
        drift = math.hypot(self._drift(ice_km2), self.members_sigma() or 0.0)
        return _fit(used, ice_km2, drift=drift, sigma_least=self.passes_sigma_km2() or 0.0)

    def members_sigma(self) -> float | None:
        """Return the standard error of the slope by the trainings of an ensemble, km2 a year; None for a single model.

        Each member has a slope of its own; that of the ensemble is as sure as their mean.
        """
        used = self.used
        slopes = [_fit(used, km2, drift=0.0).slope for km2 in zip(*(year.members_km2 for year in used), strict=True)]
        return sample_std(slopes) / math.sqrt(len(slopes)) if slopes else None

    def passes_sigma_km2(self) -> float | None:
        """Return the error of a year by the passes of its season, pooled over the years that have several; else None.

        It is that of a single pass: seasonal snow is one-sided, and the passes of a season share it.
        """
        known = [year.passes_sigma_km2 for year in self.used if year.passes_sigma_km2 is not None]
        return math.sqrt(math.fsum(sigma**2 for sigma in known) / len(known)) if known else None

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
            sigma_passes_km2=self.passes_sigma_km2(),
            sigma_members_km2_per_year=self.members_sigma() if fit else None,
            **(trend_numbers(fit, used, ends, beyond) if fit else {}),
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


def _reason(year_area: YearArea) -> str:
    return "a person rejected the map" if year_area.rejected else "too little observed"


def _adjusted_km2(ice_km2: float, effect: float | None) -> float | None:
    """Return the area without the effect of the scene's day; None for a year that is not used."""
    return None if effect is None else max(ice_km2 - effect, 0.0)


def _fit(used: Sequence[ChangeYear], km2: Sequence[float], *, drift: float, sigma_least: float = 0.0) -> SeasonFit:
    times, days = [year.year_area.decimal_year for year in used], [_day_of_year(year.year_area) for year in used]
    return fit_season(times, km2, days_of_season(days), drift=drift, sigma_least=sigma_least)


def _day_of_year(year_area: YearArea) -> float | None:
    return (year_area.decimal_year % 1) * YEAR_DAYS if year_area.dated else None
