"""Clean and debris-covered ice by year, or why they cannot be told apart."""

from __future__ import annotations

from typing import Any

from stages.common.display.colours import CLEAN, DEBRIS, hexadecimal
from stages.common.tables.area import AreaRow
from stages.report import rounding
from stages.report.findings import Findings
from stages.report.numbers import optional
from stages.report.pictures.figures import BACKED, small_chart

NOT_TOLD = "Clean and debris-covered ice were not told apart"
BAR_WIDTH = 0.7


def told_apart(rows: list[AreaRow]) -> list[AreaRow]:
    """Years whose clean and debris-covered ice are known."""
    return [row for row in rows if row.clean_ice_km2 is not None and row.debris_covered_km2 is not None]


def why_not(rows: list[AreaRow]) -> str | None:
    """The sentence in place of the chart; None where there is something to show."""
    if told_apart(rows):
        return None
    methods = sorted({row.surface_method for row in rows if row.surface_method})
    return f"{NOT_TOLD}: {'; '.join(methods)}." if methods else f"{NOT_TOLD}."


def surface_rows(rows: list[AreaRow]) -> list[dict[str, Any]]:
    """Clean ice, debris-covered ice and the method of each year."""
    decimals = rounding.decimals_of(rows)
    return [
        {
            "year": row.year,
            "clean": optional(row.clean_ice_km2, decimals),
            "debris": optional(row.debris_covered_km2, decimals),
            "method": row.surface_method,
        }
        for row in rows
    ]


def surface_chart(findings: Findings) -> bytes:
    """Stacked bars from zero, debris-covered ice below: its growth is what would look like retreat."""
    rows = told_apart(findings.areas)

    def draw(axes: Any) -> None:
        years = [row.year for row in rows]
        debris = [row.debris_covered_km2 or 0.0 for row in rows]
        clean = [row.clean_ice_km2 or 0.0 for row in rows]
        axes.bar(years, clean, BAR_WIDTH, bottom=debris, color=hexadecimal(CLEAN), label="clean ice")
        axes.bar(years, debris, BAR_WIDTH, color=hexadecimal(DEBRIS), label="debris-covered ice")
        axes.set_xlim(findings.years[0] - 0.6, findings.years[-1] + 0.6)
        axes.set_xticks(ticks := rounding.year_ticks(findings.years), [str(tick) for tick in ticks])
        axes.set_ylim(0, 1.25 * max(c + d for c, d in zip(clean, debris, strict=True)) or 1)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("Area (km²)")
        axes.legend(loc="upper left", ncols=2, fontsize=9, **BACKED)

    return small_chart("Clean and debris-covered ice", draw, simulated=findings.site.simulated, width_in=7.2)
