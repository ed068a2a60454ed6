"""What the page says of change, fronts, surface and input: numbers for the template, or the reason there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.report.findings import Findings
from stages.report.page import change_table, input_table, trend_table
from stages.report.pictures import front_chart, surface_chart


def statistics_content(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any]:
    """Values of the template; `embed` makes a picture part of the page."""
    return {
        "glacier_trends": trend_table.trend_lines(findings.statistics.glacier_trends),
        "trend_facts": trend_table.trend_facts(findings.trend),
        "trends_shown": trend_table.LARGEST,
        "surface": _surface(findings, embed),
        "fronts": _fronts(findings, embed),
        "change": _change(findings),
        "inputs": _inputs(findings),
    }


def _surface(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any]:
    if reason := surface_chart.why_not(findings.areas):
        return {"reason": reason}
    picture = embed("surface.png", surface_chart.surface_chart(findings))
    return {"reason": None, "picture": picture, "rows": surface_chart.surface_rows(findings.areas)}


def _fronts(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any]:
    statistics = findings.statistics
    if reason := front_chart.why_no_front(statistics.fronts):
        return {"reason": reason}
    shown = front_chart.shown_glaciers(findings)
    return {
        "reason": None,
        "picture": embed("fronts.png", front_chart.front_chart(findings)) if shown else None,
        "lines": front_chart.front_lines(statistics.front_trends),
        "gaps": front_chart.gaps(statistics.fronts),
        "flow_lines": sorted({row.flow_line for row in statistics.fronts if row.position_m is not None}),
    }


def _change(findings: Findings) -> dict[str, Any] | None:
    rows = findings.statistics.last_changes
    if not rows:
        return None
    return {
        "from_year": rows[0].from_year,
        "year": rows[0].year,
        "lines": change_table.change_lines(rows),
        "total": change_table.change_total(rows),
        "shown": change_table.LARGEST,
    }


def _inputs(findings: Findings) -> dict[str, Any]:
    statistics = findings.statistics
    return {
        "seasons": input_table.season_rows(statistics.seasons),
        "drifts": input_table.drift_lines(statistics.drifts),
        "bands": input_table.drift_bands(statistics.drifts),
        "finding": input_table.drift_finding(findings.gates),
        "much": input_table.MUCH,
    }
