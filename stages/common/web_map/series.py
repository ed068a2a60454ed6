"""Series of areas as a chart of the map shows them: points with their intervals, and the axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from stages.common.display.numbers import decimals_for
from stages.common.display.rounding import DECIMALS_WITHOUT_SIGMA
from stages.common.tables.area import AreaRow, GlacierAreaRow
from stages.common.tables.labels import UNASSIGNED

INTERVAL_SHARE_MAX = 0.25
"""An interval fills at most this share of the axis, so that noise never looks like change."""
DATA_SHARE = 0.8
"""Points with their intervals fill this share of the axis, where the bound above and the least span allow."""

Series = dict[str, Any]


def area_point(row: AreaRow | GlacierAreaRow) -> Series:
    """Return a year, its area (km2) with both intervals, and the area that was not observed."""
    return {
        "year": row.year,
        "low": row.area_low_km2, "high": row.area_high_km2,
        "low95": row.area_low95_km2, "high95": row.area_high95_km2,
        "unseen": row.unseen_km2,
        "value": row.glacier_area_km2 if isinstance(row, AreaRow) else row.area_km2,
    }  # fmt: skip


def by_glacier(rows: Iterable[GlacierAreaRow]) -> dict[str, list[GlacierAreaRow]]:
    """Return the rows of each glacier by year, the largest of its last year first, ice near no outline last."""
    grouped: dict[str, list[GlacierAreaRow]] = {}
    for row in sorted(rows, key=lambda row: row.year):
        grouped.setdefault(row.rgi_id, []).append(row)
    ordered = sorted(grouped, key=lambda key: (key == UNASSIGNED, -grouped[key][-1].area_km2, key))
    return {rgi_id: grouped[rgi_id] for rgi_id in ordered}


def widest_ends(row: AreaRow | GlacierAreaRow) -> tuple[float, float]:
    """Return the widest interval that an area has, km2; the area itself without one."""
    area = row.glacier_area_km2 if isinstance(row, AreaRow) else row.area_km2
    low = row.area_low_km2 if row.area_low95_km2 is None else row.area_low95_km2
    high = row.area_high_km2 if row.area_high95_km2 is None else row.area_high95_km2
    return area if low is None else low, area if high is None else high


def axis_of(points: Iterable[tuple[float, tuple[float, float]]], *, floor: float | None) -> tuple[float, float]:
    """Return bottom and top of an axis that holds these values and their intervals, not below `floor`."""
    listed = list(points)
    intervals = [ends for _, ends in listed]
    values = [value for value, _ in listed]
    return spanning([*values, *(end for ends in intervals for end in ends)], intervals, floor=floor)


def digits_of(rows: Sequence[GlacierAreaRow]) -> int:
    """Return the decimals of a glacier's areas: those that the mean upper half of its 68 % intervals supports."""
    halves = [row.area_high_km2 - row.area_km2 for row in rows if row.area_high_km2 is not None]
    sigma = sum(halves) / len(halves) if halves else 0.0
    return decimals_for(sigma) if sigma > 0 else DECIMALS_WITHOUT_SIGMA


def spanning(
    values: Sequence[float], intervals: Sequence[tuple[float, float]], *, floor: float | None, span_min: float = 1e-6
) -> tuple[float, float]:
    """Return bottom and top of an axis for values and their intervals, not below `floor` and never without height."""
    low, high = min(values), max(values)
    widest = max(high - low for low, high in intervals)
    span = max((high - low) / DATA_SHARE, widest / INTERVAL_SHARE_MAX, span_min, 1e-6)
    bottom = (low + high - span) / 2
    bottom = bottom if floor is None else max(floor, bottom)
    return bottom, bottom + span
