"""Series of the site and of each glacier as the map's script shows them: areas, intervals, fronts, change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from stages.common.display import rounding
from stages.common.display.numbers import decimals_for
from stages.common.tables.area import AreaRow, GlacierAreaRow
from stages.common.tables.labels import UNASSIGNED
from stages.report.findings import Findings
from stages.report.ground_changes import NEAR_NO_OUTLINE
from stages.report.pictures.graph_data import axis_limits, spanning

FRONT_SPAN_MIN_M = 100.0
"""Smallest height of the axis of a front, so that a front that stands still looks so."""

Series = dict[str, Any]


def site_series(findings: Findings) -> Series:
    """Return the areas of the whole site."""
    true = {row.year: row.true_area_km2 for row in findings.truth}
    return {
        "digits": rounding.decimals_of(findings.areas),
        "points": [_area(row) | {"value": row.glacier_area_km2, "truth": true.get(row.year)} for row in findings.areas],
        "axis": axis_limits(findings.areas, findings.truth),
    }


def glacier_series(findings: Findings) -> list[Series]:
    """Return each glacier with its areas, its change and its front, the largest of the last year first."""
    rows: dict[str, list[GlacierAreaRow]] = {}
    for row in findings.glaciers:
        rows.setdefault(row.rgi_id, []).append(row)
    for each in rows.values():
        each.sort(key=lambda row: row.year)
    ordered = sorted(rows, key=lambda key: (key == UNASSIGNED, -rows[key][-1].area_km2, key))
    return [_glacier(findings, rgi_id, rows[rgi_id]) for rgi_id in ordered]


def _glacier(findings: Findings, rgi_id: str, rows: Sequence[GlacierAreaRow]) -> Series:
    statistics = findings.statistics
    halves = [row.area_high_km2 - row.area_km2 for row in rows if row.area_high_km2 is not None]
    sigma = sum(halves) / len(halves) if halves else 0.0
    trend = next((row.statement for row in statistics.glacier_trends if row.rgi_id == rgi_id), None)
    front = next((row.statement for row in statistics.front_trends if row.rgi_id == rgi_id), None)
    return {
        "id": rgi_id,
        "name": NEAR_NO_OUTLINE if rgi_id == UNASSIGNED else rows[-1].glac_name,
        "outline": rows[-1].outline_area_km2,
        "digits": decimals_for(sigma) if sigma > 0 else rounding.DECIMALS_WITHOUT_SIGMA,
        "points": [_area(row) | {"value": row.area_km2} for row in rows],
        "axis": _axis([(row.area_km2, _ends(row)) for row in rows], floor=0.0),
        "trend": trend,
        "front": front,
        "fronts": _fronts(findings, rgi_id),
        "changes": {
            row.year: {"from": row.from_year, "lost": row.lost_km2, "gained": row.gained_km2}
            for row in statistics.changes
            if row.rgi_id == rgi_id
        },
    }


def _area(row: AreaRow | GlacierAreaRow) -> Series:
    return {
        "year": row.year,
        "low": row.area_low_km2, "high": row.area_high_km2,
        "low95": row.area_low95_km2, "high95": row.area_high95_km2,
        "unseen": row.unseen_km2,
    }  # fmt: skip


def _ends(row: GlacierAreaRow) -> tuple[float, float]:
    """Return the widest interval that a glacier's area has; the area itself without one."""
    low = row.area_low_km2 if row.area_low95_km2 is None else row.area_low95_km2
    high = row.area_high_km2 if row.area_high95_km2 is None else row.area_high95_km2
    return row.area_km2 if low is None else low, row.area_km2 if high is None else high


def _axis(points: Iterable[tuple[float, tuple[float, float]]], *, floor: float | None) -> tuple[float, float]:
    values = [value for value, _ in points]
    intervals = [ends for _, ends in points]
    return spanning([*values, *(end for ends in intervals for end in ends)], intervals, floor=floor)


def _fronts(findings: Findings, rgi_id: str) -> Series | None:
    """Return a front's retreat since its first position; None without two positions."""
    rows = [
        row
        for row in findings.statistics.fronts
        if row.rgi_id == rgi_id and row.retreat_m is not None and row.position_sigma_m is not None
    ]
    if len(rows) < 2:
        return None
    points = [(row, row.retreat_m or 0.0, row.position_sigma_m or 0.0) for row in rows]
    low, high = _axis([(retreat, (retreat - sigma, retreat + sigma)) for _, retreat, sigma in points], floor=None)
    more = max(0.0, FRONT_SPAN_MIN_M - (high - low)) / 2
    return {
        "digits": 0,
        "points": [
            {"year": row.year, "value": retreat, "low": retreat - sigma, "high": retreat + sigma}
            for row, retreat, sigma in points
        ],
        "axis": (low - more, high + more),
    }
