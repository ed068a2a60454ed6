"""Fit the trend of each glacier, and test which trends are more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from stages.area.trends.fit import SIGNIFICANCE, YEARS_FOR_SIGNIFICANCE, Fit, fit_trend
from stages.area.year.year_area import YearArea
from stages.common.display.change_words import AREA, Rate, changed, sentence
from stages.common.params.area import AreaParams
from stages.common.tables.area import GlacierTrendRow
from stages.common.tables.labels import GlacierRow
from stages.common.types import Float64Array


@dataclass(frozen=True, kw_only=True)
class GlacierTrends:
    """Trends of all glaciers that were tested."""

    rows: list[GlacierTrendRow]
    """Rows of trend_by_glacier.csv, unrounded."""
    note: str
    """How many glaciers were tested, and why the others were not."""


def glacier_trends(
    year_areas: Sequence[YearArea],
    glaciers: Sequence[GlacierRow],
    *,
    outlines_km2: Float64Array,
    common_outlines_km2: Float64Array,
    params: AreaParams,
) -> GlacierTrends:
    """Fit the trends of the glaciers that can have one.

    Testing many glaciers at 5 % finds that one in twenty changes where none does. Benjamini and Hochberg (1995) bound
    the expected share of false ones among the changes found; their procedure holds for glaciers that err together
    (Benjamini and Yekutieli 2001).

    Parameters
    ----------
    outlines_km2, common_outlines_km2
        (1 + glaciers,) prior outline in the AOI, and the part of it observed in all years that count.
    """
    used = {row.glacier_index: years_of(year_areas, row.glacier_index) for row in glaciers}
    reasons = _untested(used, outlines_km2, common_outlines_km2, params)
    tested = [row for row in glaciers if row.glacier_index not in reasons]
    fits = [_fit(used[row.glacier_index], row.glacier_index, rho=params.correlation_between_years) for row in tested]
    adjusted = adjusted_p([fit.p for fit in fits])
    rows = [
        _row(row, fit, p_adjusted, used=used[row.glacier_index], tested=len(tested))
        for row, fit, p_adjusted in zip(tested, fits, adjusted, strict=True)
    ]
    return GlacierTrends(rows=rows, note=_note(len(tested), list(reasons.values())))


def years_of(year_areas: Sequence[YearArea], index: int) -> list[YearArea]:
    """Return the years that count in which nobody rejected the glacier of number `index`."""
    return [
        year_area
        for year_area in year_areas
        if year_area.common_by_glacier_km2 is not None and index not in year_area.rejected_glaciers
    ]


def adjusted_p(p: Sequence[float]) -> list[float]:
    """Adjust p values (Benjamini and Hochberg 1995): those below 0.05 keep the false discovery rate at 5 %."""
    order = np.argsort(p)
    scaled = np.asarray(p)[order] * (len(p) / np.arange(1, len(p) + 1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1.0)
    return adjusted.tolist()


def _untested(
    used: Mapping[int, Sequence[YearArea]], outlines_km2: Float64Array, common_km2: Float64Array, params: AreaParams
) -> dict[int, str]:
    """Return the number of each glacier that is not tested, and the reason."""
    reasons = {}
    for index, years in used.items():
        if len(years) < YEARS_FOR_SIGNIFICANCE:
            reasons[index] = f"with fewer than {YEARS_FOR_SIGNIFICANCE} years"
        elif outlines_km2[index] < max(params.trend_glacier_km2_min, 1e-9):
            reasons[index] = f"below {params.trend_glacier_km2_min:g} km² in the AOI"
        elif common_km2[index] < params.common_valid_fraction_min * outlines_km2[index]:
            reasons[index] = f"less than {100 * params.common_valid_fraction_min:g} % observed in every year"
    return reasons


def _note(tested: int, reasons: Sequence[str]) -> str:
    why = ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted(set(reasons)))
    return f"{tested} of {tested + len(reasons)} glaciers tested" + (f"; not tested: {why}" if why else "")


def _common_km2(used: Sequence[YearArea], index: int) -> list[float]:
    """Return the common area of one glacier in each year used."""
    return [float(km2[index]) for year_area in used if (km2 := year_area.common_by_glacier_km2) is not None]


def _fit(used: Sequence[YearArea], index: int, *, rho: float) -> Fit:
    """Fit one glacier's trend; the spread within seasons counts by the glacier's share of the common area."""
    areas = _common_km2(used, index)
    sigmas = [float(year_area.common_sigma_by_glacier_km2[index]) for year_area in used]
    seasons = [
        year_area.sigma_season_km2 * km2 / year_area.common_km2
        for year_area, km2 in zip(used, areas, strict=True)
        if year_area.sigma_season_km2 is not None and year_area.common_km2
    ]
    return fit_trend([year_area.decimal_year for year_area in used], areas, sigmas, rho=rho, seasons=seasons)


def area_rate(fit: Fit, used: Sequence[YearArea], *, first_km2: float) -> Rate:
    """Return the slope of an area over the years used, as a sentence needs it; `first_km2` of the first of them."""
    first, last = used[0], used[-1]
    return Rate(
        per_year=fit.slope, low=fit.low, high=fit.high, minimum=fit.minimum_detectable, first_year=first.year,
        last_year=last.year, years=last.decimal_year - first.decimal_year, first=first_km2,
    )  # fmt: skip


def glacier_sentence(rate: Rate, p_adjusted: float, *, tested: int) -> str:
    """State the trend of one of `tested` glaciers: its interval is its own, what is detected is so among them all."""
    if rate.detected and p_adjusted >= SIGNIFICANCE:
        return f"{changed(rate, AREA)}; not detected, as chance shows this among {tested} glaciers tested together"
    return sentence(rate, AREA)


def _row(glacier: GlacierRow, fit: Fit, p_adjusted: float, *, used: Sequence[YearArea], tested: int) -> GlacierTrendRow:
    first_km2 = _common_km2(used, glacier.glacier_index)[0]
    return GlacierTrendRow(
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        n_years=fit.n,
        first_area_km2=first_km2,
        slope_km2_per_year=fit.slope,
        slope_low_km2_per_year=cast(float, fit.low),  # None only below five years
        slope_high_km2_per_year=cast(float, fit.high),
        slope_pct_per_year=100 * fit.slope / first_km2 if first_km2 > 0 else None,
        minimum_detectable_km2_per_year=fit.minimum_detectable,
        mann_kendall_p=fit.p,
        p_adjusted=p_adjusted,
        detectable=p_adjusted < SIGNIFICANCE and fit.detectable,
        statement=glacier_sentence(area_rate(fit, used, first_km2=first_km2), p_adjusted, tested=tested),
    )
