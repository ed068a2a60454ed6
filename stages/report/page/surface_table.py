"""Clean and debris-covered ice of each year in a table, or why they could not be distinguished."""

from __future__ import annotations

from typing import Any

from stages.common.display import rounding
from stages.common.tables.area import AreaRow
from stages.report.numbers import optional_number
from stages.report.pictures.surface_chart import rows_with_surface

NOT_DISTINGUISHED = "Clean and debris-covered ice were not distinguished"


def why_no_surface(rows: list[AreaRow]) -> str | None:
    """Return why there is no chart; None where any year has both kinds of ice."""
    if rows_with_surface(rows):
        return None
    methods = sorted({row.surface_method.removeprefix("not available: ") for row in rows if row.surface_method})
    return f"{NOT_DISTINGUISHED}: {'; '.join(methods)}." if methods else f"{NOT_DISTINGUISHED}."


def surface_lines(rows: list[AreaRow]) -> list[dict[str, Any]]:
    """Return clean ice, debris-covered ice (km2) and the method of each year."""
    decimals = rounding.decimals_of(rows)
    return [
        {
            "year": row.year,
            "clean": optional_number(row.clean_ice_km2, decimals),
            "debris": optional_number(row.debris_covered_km2, decimals),
            "method": row.surface_method,
        }
        for row in rows
    ]
