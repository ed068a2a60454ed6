"""Series of the site and of each glacier as the map's script shows them: areas, intervals, fronts, change."""

from __future__ import annotations

from collections.abc import Sequence

from stages.common.display import rounding
from stages.common.display.phrases import NEAR_NO_OUTLINE
from stages.common.tables.area import GlacierAreaRow
from stages.common.tables.labels import UNASSIGNED
from stages.common.web_map.series import Series, area_point, axis_of, by_glacier, digits_of, widest_ends
from stages.report.findings import Findings
from stages.report.pictures.graph_data import axis_limits

FRONT_SPAN_MIN_M = 100.0
"""Smallest height of the axis of a front, so that a front that stands still looks so."""


def site_series(findings: Findings) -> Series:
    """Return the areas of the whole site."""
    true = {row.year: row.true_area_km2 for row in findings.truth}
    return {
        "digits": rounding.decimals_of(findings.areas),
        "points": [area_point(row) | {"truth": true.get(row.year)} for row in findings.areas],
        "axis": axis_limits(findings.areas, findings.truth),
    }


def glacier_series(findings: Findings) -> list[Series]:
    """Return each glacier with its areas, its change and its front, the largest of the last year first."""
    return [_glacier(findings, rgi_id, rows) for rgi_id, rows in by_glacier(findings.glaciers).items()]


def _glacier(findings: Findings, rgi_id: str, rows: Sequence[GlacierAreaRow]) -> Series:
    statistics = findings.statistics
    trend = next((row.statement for row in statistics.glacier_trends if row.rgi_id == rgi_id), None)
    front = next((row.statement for row in statistics.front_trends if row.rgi_id == rgi_id), None)
    return {
        "id": rgi_id,
        "name": NEAR_NO_OUTLINE if rgi_id == UNASSIGNED else rows[-1].glac_name,
        "outline": rows[-1].outline_area_km2,
        "digits": digits_of(rows),
        "points": [area_point(row) for row in rows],
        "axis": axis_of([(row.area_km2, widest_ends(row)) for row in rows], floor=0.0),
        "trend": trend,
        "front": front,
        "fronts": _fronts(findings, rgi_id),
        "changes": {
            row.year: {"from": row.from_year, "lost": row.lost_km2, "gained": row.gained_km2}
            for row in statistics.changes
            if row.rgi_id == rgi_id
        },
    }


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
    low, high = axis_of([(retreat, (retreat - sigma, retreat + sigma)) for _, retreat, sigma in points], floor=None)
    more = max(0.0, FRONT_SPAN_MIN_M - (high - low)) / 2
    return {
        "digits": 0,
        "points": [
            {"year": row.year, "value": retreat, "low": retreat - sigma, "high": retreat + sigma}
            for row, retreat, sigma in points
        ],
        "axis": (low - more, high + more),
    }
