"""What the page shows of change, fronts, surface and input: numbers for the template, or why there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.report.findings import Findings
from stages.report.ground_changes import change_lines, change_total
from stages.report.page import front_table, input_table, surface_table, trend_table
from stages.report.page.change_product import change_product
from stages.report.pictures import front_chart, surface_chart
from stages.report.pictures.surface_chart import rows_with_surface

LINES_BEFORE_FOLD = 8
"""Lines of the tables of change that stand open; the others are folded."""


def statistics_content(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any]:
    """Return the values of the template; `embed` makes a picture part of the page."""
    return {
        "glacier_trends": trend_table.trend_lines(findings.statistics.glacier_trends),
        "trend_facts": trend_table.trend_facts(findings.trend),
        "lines_before_fold": LINES_BEFORE_FOLD,
        "change_product": change_product(findings, embed),
        "surface": _surface(findings, embed),
        "fronts": _fronts(findings, embed),
        "change": _change(findings),
        "inputs": _inputs(findings),
    }


def _surface(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any]:
    if reason := surface_table.why_no_surface(findings.areas):
        return {"reason": reason}
    picture = embed("surface.png", surface_chart.surface_chart(findings))
    rows = rows_with_surface(findings.areas)
    missing = [year for year in findings.years if year not in {row.year for row in rows}]
    return {"reason": None, "picture": picture, "missing": missing, "rows": surface_table.surface_lines(findings.areas)}


def _fronts(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any]:
    statistics = findings.statistics
    if reason := front_table.why_no_front(statistics.fronts):
        return {"reason": reason}
    glaciers = front_chart.largest_glaciers(findings)
    return {
        "reason": None,
        "picture": embed("fronts.png", front_chart.front_chart(findings)) if glaciers else None,
        "has_gaps": any(row.rgi_id in glaciers and row.retreat_m is None for row in statistics.fronts),
        "lines": front_table.front_lines(statistics.front_trends),
        "missing_positions": front_table.missing_positions(statistics.fronts),
        "flow_lines": sorted({row.flow_line for row in statistics.fronts if row.position_m is not None}),
    }


def _change(findings: Findings) -> dict[str, Any] | None:
    rows = findings.statistics.last_changes
    if not rows:
        return None
    return {
        "from_year": rows[0].from_year,
        "year": rows[0].year,
        "lines": change_lines(rows),
        "total": change_total(rows),
    }


def _inputs(findings: Findings) -> dict[str, Any]:
    statistics = findings.statistics
    return {
        "seasons": input_table.season_rows(statistics.seasons),
        "drifts": input_table.drift_lines(statistics.drifts),
        "bands": input_table.drift_bands(statistics.drifts),
        "finding": input_table.drift_finding(findings.gates),
        "strong_shift": input_table.STRONG_SHIFT_PSI,
    }
