"""Retreat of the fronts: rows by year, and rates with their interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stages.area.fronts.flow_lines import FlowLine
from stages.area.fronts.series import FrontPosition, FrontSeries
from stages.area.quantiles import t_quantile
from stages.area.trends.fit import SIGNIFICANCE, YEARS_FOR_A_TREND, detectable_over_half, fit_trend, theil_sen
from stages.common.display.change_words import FRONT, Rate, sentence
from stages.common.tables.area import FrontRow, FrontTrendRow
from stages.common.tables.labels import GlacierRow

METRE_DECIMALS, RATE_DECIMALS, P_DECIMALS = 1, 2, 6
"""Decimals of metres, metres per year and p in the tables: finer than any front is known."""


def front_rows(series: FrontSeries, glaciers: Sequence[GlacierRow]) -> list[FrontRow]:
    """Return the rows of terminus_by_year.csv, glacier by glacier."""
    rows = []
    for glacier in glaciers:
        positions, flow = series.positions(glacier.glacier_index), series.flows[glacier.glacier_index]
        placed = with_position(positions)
        rows += [front_row(glacier, flow, position, placed) for position in positions]
    return rows


def front_trend_rows(series: FrontSeries, glaciers: Sequence[GlacierRow]) -> list[FrontTrendRow]:
    """Return the rows of terminus_by_glacier.csv: glaciers whose front has a position in two years or more."""
    placed = [(glacier, with_position(series.positions(glacier.glacier_index))) for glacier in glaciers]
    return [front_trend_row(glacier, positions) for glacier, positions in placed if len(positions) > 1]


def with_position(positions: Sequence[FrontPosition]) -> list[FrontPosition]:
    """Return the years in which the front has a position."""
    return [position for position in positions if position.position_m is not None]


def retreat_m(position: FrontPosition, first: FrontPosition) -> float:
    """Return how far the front went back since `first`, in metres; negative where it advanced."""
    return (first.position_m or 0.0) - (position.position_m or 0.0)


def box_retreat_m(position: FrontPosition, placed: Sequence[FrontPosition]) -> float | None:
    """Return the retreat by the box method, in metres, since the first of `placed` whose box was observed.

    None where the box was not observed.
    """
    first_m = next((earlier.box_m for earlier in placed if earlier.box_m is not None), None)
    return None if first_m is None or position.box_m is None else first_m - position.box_m


def front_row(
    glacier: GlacierRow, flow: FlowLine, position: FrontPosition, placed: Sequence[FrontPosition]
) -> FrontRow:
    """Return a row of terminus_by_year.csv; `placed` are the glacier's years that have a position."""
    has_position = position.position_m is not None
    return FrontRow(
        year=position.year,
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        flow_line=flow.source,
        position_m=_rounded(position.position_m),
        position_sigma_m=_rounded(position.sigma_m) if has_position else None,
        retreat_m=_rounded(retreat_m(position, placed[0])) if has_position else None,
        box_retreat_m=_rounded(box_retreat_m(position, placed)),
        box_sigma_m=_rounded(position.box_sigma_m),
        reason=position.reason,
    )


def front_trend_row(glacier: GlacierRow, placed: Sequence[FrontPosition]) -> FrontTrendRow:
    """Return a row of terminus_by_glacier.csv from the years that have a position, two or more."""
    first, last = placed[0], placed[-1]
    lane_retreats = [before - after for before, after in zip(first.across_m, last.across_m, strict=True)]
    row = FrontTrendRow(
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        n_years=len(placed),
        first_year=first.year,
        last_year=last.year,
        retreat_m=round(retreat_m(last, first), METRE_DECIMALS),
        retreat_sigma_m=round(math.hypot(first.sigma_m, last.sigma_m, _lane_std(lane_retreats)), METRE_DECIMALS),
        box_rate_m_per_year=_box_rate(placed),
    )
    if len(placed) < YEARS_FOR_A_TREND:
        return row
    times, sigmas = [position.decimal_year for position in placed], [position.sigma_m for position in placed]
    fit = fit_trend(times, [retreat_m(position, first) for position in placed], sigmas)
    lane_series = zip(*(position.across_m for position in placed), strict=True)
    lane_rates = [theil_sen(times, across_m) for across_m in lane_series]
    half = slope_error(times, sigmas, _lane_std(lane_rates))
    rate = Rate(
        per_year=fit.slope,
        low=None if fit.low is None else min(fit.low, fit.slope - half),
        high=None if fit.high is None else max(fit.high, fit.slope + half),
        minimum=max(fit.minimum_detectable, half * detectable_over_half(len(times))),
        first_year=first.year, last_year=last.year, years=times[-1] - times[0],
    )  # fmt: skip
    return row.model_copy(
        update={
            "rate_m_per_year": _rate(rate.per_year),
            "rate_low_m_per_year": None if rate.low is None else _rate(rate.low),
            "rate_high_m_per_year": None if rate.high is None else _rate(rate.high),
            "minimum_detectable_m_per_year": _rate(rate.minimum),
            "mann_kendall_p": round(fit.p, P_DECIMALS),
            "detectable": rate.detected,
            "statement": sentence(rate, FRONT),
        }
    )


def slope_error(times: Sequence[float], sigmas: Sequence[float], line_sigma: float) -> float:
    """Return half of the 95 % interval of a slope whose values have the errors `sigmas`, whatever their scatter.

    t(0.975, n-2) sqrt(mean(sigma)^2 / sum (t - mean t)^2 + line_sigma^2). Fronts that happen to lie on a line prove
    nothing: Sen's interval comes from the scatter alone, and a model that is wrong about debris at the front may become
    more wrong each year. `line_sigma` is the error of the rate for the choice of the line: the spread between lanes.
    """
    t = np.asarray(times)
    quantile = t_quantile(1 - SIGNIFICANCE / 2, len(times) - 2)
    return quantile * math.hypot(float(np.mean(sigmas)) / math.sqrt(float(((t - t.mean()) ** 2).sum())), line_sigma)


def _box_rate(placed: Sequence[FrontPosition]) -> float | None:
    """Return the rate by the box method, metres per year; None where too few boxes were observed."""
    retreats = [(position.decimal_year, box_retreat_m(position, placed)) for position in placed]
    observed = [(time, retreat) for time, retreat in retreats if retreat is not None]
    return _rate(theil_sen(*zip(*observed, strict=True))) if len(observed) >= YEARS_FOR_A_TREND else None


def _lane_std(lanes: Sequence[float]) -> float:
    """Return the standard deviation between the lanes across a tongue; 0 for a single lane."""
    return float(np.std(lanes, ddof=1)) if len(lanes) > 1 else 0.0


def _rate(metres_per_year: float) -> float:
    return round(metres_per_year, RATE_DECIMALS)


def _rounded(metres: float | None) -> float | None:
    return None if metres is None else round(metres, METRE_DECIMALS)
