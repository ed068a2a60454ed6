"""Table of the fronts, and why positions are missing."""

from __future__ import annotations

from stages.common.tables.area import FrontRow
from stages.report.page import front_table


def front(year: int, position_m: float | None, reason: str | None = None) -> FrontRow:
    return FrontRow(year=year, rgi_id="a", flow_line="given", position_m=position_m, reason=reason)


def test_why_there_is_no_front_is_said():
    assert "no elevation" in (front_table.why_no_front([front(2020, None, "no elevation")]) or "")
    assert front_table.why_no_front([front(2020, None, "cloud"), front(2021, 9.0)]) is None
    rows = [front(2020, None, "cloud"), front(2021, None, "beyond the grid"), front(2022, None, "cloud")]
    assert front_table.missing_positions(rows) == [("cloud", 2), ("beyond the grid", 1)]
