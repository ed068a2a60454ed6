"""Clean and debris-covered ice by year as a chart."""

from __future__ import annotations

from typing import Any

from stages.common.display import phrases, rounding
from stages.common.display.colours import CLEAN, DEBRIS, hexadecimal
from stages.common.drawing.figures import OPAQUE_LEGEND, small_chart
from stages.common.tables.area import AreaRow
from stages.report.findings import Findings

BAR_WIDTH = 0.7


def rows_with_surface(rows: list[AreaRow]) -> list[AreaRow]:
    """Select the years whose clean and debris-covered ice are known."""
    return [row for row in rows if row.clean_ice_km2 is not None and row.debris_covered_km2 is not None]


def surface_chart(findings: Findings) -> bytes:
    """Draw stacked bars from zero as PNG, debris-covered ice below: its growth would look like retreat."""
    rows = rows_with_surface(findings.areas)

    def draw(axes: Any) -> None:
        years = [row.year for row in rows]
        debris = [row.debris_covered_km2 or 0.0 for row in rows]
        clean = [row.clean_ice_km2 or 0.0 for row in rows]
        axes.bar(years, clean, BAR_WIDTH, bottom=debris, color=hexadecimal(CLEAN), label="clean ice")
        axes.bar(years, debris, BAR_WIDTH, color=hexadecimal(DEBRIS), label="debris-covered ice")
        axes.set_xlim(findings.years[0] - 0.6, findings.years[-1] + 0.6)
        axes.set_xticks(ticks := rounding.year_ticks(findings.years), [str(tick) for tick in ticks])
        axes.set_ylim(0, 1.25 * max(sum(pair) for pair in zip(clean, debris, strict=True)) or 1)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("Area (km²)")
        axes.legend(loc="upper left", ncols=2, fontsize=9, **OPAQUE_LEGEND)

    title = f"Clean and debris-covered ice ({phrases.SHORT_PRODUCTS[rows[0].product]})"
    return small_chart(title, draw, simulated=findings.site.simulated, width_in=7.2)
