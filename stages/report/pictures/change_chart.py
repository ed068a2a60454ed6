"""The change product by year as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stages.common.display import phrases, rounding
from stages.common.display.colours import BLUE, VERMILLION, hexadecimal
from stages.common.drawing.figures import OPAQUE_LEGEND, small_chart
from stages.common.tables.change import ChangeAreaRow, ChangeTrend
from stages.report.findings import Findings


def change_chart(findings: Findings) -> bytes | None:
    """Draw the areas and the line through them as PNG; None where the change product has no trend."""
    trend, rows = findings.statistics.change_trend, findings.statistics.change_areas
    if trend is None or trend.slope_km2_per_year is None:
        return None
    line = trend_line(trend)

    def draw(axes: Any) -> None:
        _draw_points(axes, rows)
        axes.plot(*zip(*line, strict=True), color=hexadecimal(VERMILLION), linewidth=1.4, label="slope")
        axes.set_xlim(findings.years[0] - 0.6, findings.years[-1] + 0.6)
        axes.set_xticks(ticks := rounding.year_ticks(findings.years), [str(tick) for tick in ticks])
        axes.ticklabel_format(axis="y", useOffset=False, style="plain")
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("Area (km²)")
        axes.legend(loc="best", fontsize=9, **OPAQUE_LEGEND)

    return small_chart(f"Change product: {phrases.IMAGES_ALONE}", draw, simulated=findings.site.simulated, width_in=7.2)


def trend_line(trend: ChangeTrend) -> list[tuple[float, float]]:
    """Return the first and the last point (year, km2) of the fitted line; none without a slope."""
    if trend.slope_km2_per_year is None or trend.first_area_km2 is None:
        return []
    first, last = trend.years[0], trend.years[-1]
    return [(first, trend.first_area_km2), (last, trend.first_area_km2 + trend.slope_km2_per_year * (last - first))]


def _draw_points(axes: Any, rows: Sequence[ChangeAreaRow]) -> None:
    used = [(row.year, row.adjusted_area_km2) for row in rows if row.used and row.adjusted_area_km2 is not None]
    unused = [(row.year, row.change_area_km2) for row in rows if not row.used and row.change_area_km2 is not None]
    for points, face, label in ((used, hexadecimal(BLUE), "used"), (unused, "white", "not used")):
        if points:
            axes.plot(
                *zip(*points, strict=True), linestyle="none", marker="o", markersize=6, color=hexadecimal(BLUE),
                markerfacecolor=face, label=label,
            )  # fmt: skip
