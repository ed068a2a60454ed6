"""Retreat of the ice fronts: rows by year, and rates with their interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from stages.area.fronts.flow_lines import FlowLine
from stages.area.fronts.terminus import Sighting, Termini
from stages.area.trends.fit import SIGNIFICANCE, YEARS_FOR_A_TREND, fit_trend, theil_sen
from stages.common.tables.area import FrontRow, FrontTrendRow
from stages.common.tables.labels import GlacierRow

METRE_DECIMALS, RATE_DECIMALS, P_DECIMALS = 1, 2, 6
"""Of metres, metres a year and p in the tables: below what any front is known to."""


def terminus_rows(termini: Termini, glaciers: Sequence[GlacierRow]) -> list[FrontRow]:
    """Rows of terminus_by_year.csv, glacier by glacier."""
    rows = []
    for glacier in glaciers:
        sightings = termini.sightings(glacier.glacier_index)
        seen = positioned(sightings)
        rows += [terminus_row(glacier, termini.flows[glacier.glacier_index], one, seen) for one in sightings]
    return rows


def trend_rows(termini: Termini, glaciers: Sequence[GlacierRow]) -> list[FrontTrendRow]:
    """Rows of terminus_by_glacier.csv: glaciers whose front was seen in two years or more."""
    found = [(glacier, positioned(termini.sightings(glacier.glacier_index))) for glacier in glaciers]
    return [trend_row(glacier, seen) for glacier, seen in found if len(seen) > 1]


def positioned(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Those with a position."""
    return [one for one in sightings if one.position_m is not None]


def retreat_m(one: Sighting, first: Sighting) -> float:
    """How far the front went back since the first year seen; negative: it advanced."""
    return (first.position_m or 0.0) - (one.position_m or 0.0)


def box_retreat_m(one: Sighting, seen: Sequence[Sighting]) -> float | None:
    """The same by the box method; None where the box was not seen."""
    first = next((each.box_m for each in seen if each.box_m is not None), None)
    return None if first is None or one.box_m is None else first - one.box_m


def terminus_row(glacier: GlacierRow, flow: FlowLine, one: Sighting, seen: Sequence[Sighting]) -> FrontRow:
    """Row of terminus_by_year.csv; `seen` are the glacier's years that have a position."""
    placed = one.position_m is not None
    return FrontRow(
        year=one.year,
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        flow_line=flow.source,
        position_m=_rounded(one.position_m),
        position_sigma_m=_rounded(one.sigma_m) if placed else None,
        retreat_m=_rounded(retreat_m(one, seen[0])) if placed else None,
        box_retreat_m=_rounded(box_retreat_m(one, seen)),
        box_sigma_m=_rounded(one.box_sigma_m),
        reason=one.reason,
    )


def trend_row(glacier: GlacierRow, seen: Sequence[Sighting]) -> FrontTrendRow:
    """Row of terminus_by_glacier.csv from the years that have a position, two or more."""
    first, last = seen[0], seen[-1]
    lost = [before - after for before, after in zip(first.across_m, last.across_m, strict=True)]
    boxes = [(one.decimal_year, gone) for one in seen if (gone := box_retreat_m(one, seen)) is not None]
    row = FrontTrendRow(
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        n_years=len(seen),
        first_year=first.year,
        last_year=last.year,
        retreat_m=round(retreat_m(last, first), METRE_DECIMALS),
        retreat_sigma_m=round(math.hypot(first.sigma_m, last.sigma_m, _spread(lost)), METRE_DECIMALS),
        box_rate_m_per_year=_rate(theil_sen(*zip(*boxes, strict=True))) if len(boxes) >= YEARS_FOR_A_TREND else None,
    )
    if len(seen) < YEARS_FOR_A_TREND:
        return row
    times, sigmas = [one.decimal_year for one in seen], [one.sigma_m for one in seen]
    fit = fit_trend(times, [retreat_m(one, first) for one in seen], sigmas)
    rates = [theil_sen(times, across_m) for across_m in zip(*(one.across_m for one in seen), strict=True)]
    half = slope_error(times, sigmas, _spread(rates))
    return row.model_copy(
        update={
            "rate_m_per_year": _rate(fit.slope),
            "rate_low_m_per_year": None if fit.low is None else _rate(min(fit.low, fit.slope - half)),
            "rate_high_m_per_year": None if fit.high is None else _rate(max(fit.high, fit.slope + half)),
            "minimum_detectable_m_per_year": _rate(fit.minimum_detectable),
            "mann_kendall_p": round(fit.p, P_DECIMALS),
            "detectable": fit.detectable,
        }
    )


def slope_error(times: Sequence[float], sigmas: Sequence[float], line_sigma: float) -> float:
    """Half of the 95 % interval of a slope whose values have the errors `sigmas`, whatever their scatter.

    t(0.975, n-2) sqrt(mean(sigma)^2 / sum (t - mean t)^2 + line_sigma^2). Fronts that happen to lie on a line prove
    nothing: Sen's interval knows the scatter only, and a model that is wrong about debris at the front may be so more
    and more. `line_sigma` is the error of the rate for the choice of the line: the spread between lanes.
    """
    t = np.asarray(times)
    quantile = float(stats.t.ppf(1 - SIGNIFICANCE / 2, len(times) - 2))
    return quantile * math.hypot(float(np.mean(sigmas)) / math.sqrt(float(((t - t.mean()) ** 2).sum())), line_sigma)


def _spread(lanes: Sequence[float]) -> float:
    """Standard deviation between the lanes across a tongue; 0 of a single one."""
    return float(np.std(lanes, ddof=1)) if len(lanes) > 1 else 0.0


def _rate(metres_per_year: float) -> float:
    return round(metres_per_year, RATE_DECIMALS)


def _rounded(metres: float | None) -> float | None:
    return None if metres is None else round(metres, METRE_DECIMALS)
