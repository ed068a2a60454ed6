"""Numbers that the graph shows: its axis, its error bars, and which points it joins by lines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from stages.common.display import rounding
from stages.common.tables.area import AreaRow, Trend
from stages.common.tables.truth import TruthRow
from stages.common.web_map.series import spanning
from stages.report.statistics import Statistics

SPAN_OF_MEAN_MIN = 0.02
"""The axis spans at least this share of the mean area."""
DIFFERS_SIGMA = 0.1
"""The common area is a series of its own where it differs by more than this share of a standard deviation."""
UNSEEN_SIGMA = 0.5
"""A year is partly unseen where its unseen area is larger than this share of a standard deviation."""


def axis_limits(
    rows: Sequence[AreaRow], truth: Sequence[TruthRow] = (), others: Sequence[float] = ()
) -> tuple[float, float]:
    """Return bottom and top of the area axis in km2: the data with their intervals, padded, never below zero."""
    values = [value for row in rows for value in _extent(row)] + [row.true_area_km2 for row in truth] + [*others]
    mean = statistics.fmean(row.glacier_area_km2 for row in rows)
    return spanning(values, list(map(widest_interval, rows)), floor=0.0, span_min=SPAN_OF_MEAN_MIN * mean)


def change_areas(tables: Statistics) -> dict[int, float]:
    """Return the areas of the change product by year that its slope rests on; empty where it has no slope."""
    trend = tables.change_trend
    if trend is None or trend.slope_km2_per_year is None or trend.first_area_km2 is None:
        return {}
    return {
        row.year: row.adjusted_area_km2 for row in tables.change_areas if row.used and row.adjusted_area_km2 is not None
    }


def turned(line: Sequence[tuple[float, float]], slope_km2_per_year: float) -> list[tuple[float, float]]:
    """Return first, middle and last point of a line of that slope through the middle of `line`."""
    (first, first_km2), (last, last_km2) = line[0], line[-1]
    middle, middle_km2 = (first + last) / 2, (first_km2 + last_km2) / 2
    return [(year, middle_km2 + slope_km2_per_year * (year - middle)) for year in (first, middle, last)]


def common_areas(rows: Sequence[AreaRow]) -> dict[int, float]:
    """Return the common area by year where that of any year differs from the year's own area; else empty."""
    common = {row.year: row.common_area_km2 for row in rows if row.common_area_km2 is not None}
    differ = [
        row.year
        for row in rows
        if row.year in common
        and abs(common[row.year] - row.glacier_area_km2) > max(DIFFERS_SIGMA * rounding.sigma_km2(row), 1e-9)
    ]
    return common if differ else {}


def partly_unseen(row: AreaRow) -> bool:
    """Return whether so much of the prior outlines is unseen that the area falls short by it."""
    return row.unseen_km2 > max(UNSEEN_SIGMA * rounding.sigma_km2(row), 1e-9)


def line_pieces(rows: Sequence[AreaRow]) -> list[list[AreaRow]]:
    """Group rows that a line joins: not across a missing year, nor through a partly unseen one (it looks like loss)."""
    pieces: list[list[AreaRow]] = []
    for row in rows:
        if partly_unseen(row):
            continue
        if pieces and pieces[-1][-1].year == row.year - 1:
            pieces[-1].append(row)
        else:
            pieces.append([row])
    return pieces


def trend_line(rows: Sequence[AreaRow], trend: Trend, slope_km2_per_year: float) -> list[tuple[float, float]]:
    """Return first, median and last point (year, km2) of a line with this slope.

    It turns about the trend's own line at the median year; that line is median(area - slope x year) high, as in `area`.
    """
    areas = {row.year: row.common_area_km2 for row in rows}
    used = [(year, area) for year in trend.years if (area := areas.get(year)) is not None]
    if not used:
        return []
    middle_year = statistics.median(year for year, _ in used)
    trend_slope = trend.slope_km2_per_year or 0.0
    middle_area = statistics.median(area - trend_slope * (year - middle_year) for year, area in used)
    years = (used[0][0], middle_year, used[-1][0])
    return [(year, middle_area + slope_km2_per_year * (year - middle_year)) for year in years]


def widest_interval(row: AreaRow) -> tuple[float, float]:
    """Return the 95 % interval where there is one, else the 68 % interval; km2."""
    low = row.area_low_km2 if row.area_low95_km2 is None else min(row.area_low_km2, row.area_low95_km2)
    high = row.area_high_km2 if row.area_high95_km2 is None else max(row.area_high_km2, row.area_high95_km2)
    return low, high


def error_bars(rows: Sequence[AreaRow], *, wide: bool = False) -> list[list[float]]:
    """Return lengths down and up in km2, never negative, also where a clipped interval does not contain its area."""
    ends = [widest_interval(row) if wide else (row.area_low_km2, row.area_high_km2) for row in rows]
    return [
        [max(0.0, row.glacier_area_km2 - low) for row, (low, _) in zip(rows, ends, strict=True)],
        [max(0.0, high - row.glacier_area_km2) for row, (_, high) in zip(rows, ends, strict=True)],
    ]


def _extent(row: AreaRow) -> list[float]:
    extent = [*widest_interval(row), row.glacier_area_km2 + row.unseen_km2]
    return extent if row.common_area_km2 is None else [*extent, row.common_area_km2]
