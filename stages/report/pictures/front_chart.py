"""Retreat of the fronts of the largest glaciers as a chart."""

from __future__ import annotations

import math
from typing import Any

from stages.common.display import phrases, rounding
from stages.common.display.colours import BLUE, GREY_LIGHT, MUTED, hexadecimal
from stages.common.drawing.figures import BANNER_IN, encode_png, new_figure, plain_style
from stages.common.tables.area import FrontRow
from stages.report.findings import Findings

MAX_PANELS, COLUMNS = 6, 3
PANEL_IN, WIDTH_IN = 2.1, 9.0
HEAD_IN, FOOT_IN = 0.7, 0.55
SPAN_MIN_M = 100.0
"""Smallest height of the axis, so that a front that stands still looks so."""
SPAN_OF_SIGMA_MIN = 8.0
"""Smallest height of the axis in standard deviations, so that bars never look like change."""


def largest_glaciers(findings: Findings) -> list[str]:
    """Select the largest glaciers, by their area in the last year, whose front is known in at least two years."""
    n_positions: dict[str, int] = {}
    for row in findings.statistics.fronts:
        n_positions[row.rgi_id] = n_positions.get(row.rgi_id, 0) + (row.retreat_m is not None)
    last_km2 = {row.rgi_id: row.area_km2 for row in findings.glaciers if row.year == findings.years[-1]}
    ordered = sorted(
        (rgi_id for rgi_id, count in n_positions.items() if count > 1),
        key=lambda rgi_id: (-last_km2.get(rgi_id, 0.0), rgi_id),
    )
    return ordered[:MAX_PANELS]


def front_chart(findings: Findings) -> bytes:
    """Draw the retreat since the first observed year as PNG, one panel per glacier, all on the same axes."""
    glaciers = largest_glaciers(findings)
    fronts = [row for row in findings.statistics.fronts if row.rgi_id in glaciers]
    banner_in = BANNER_IN if findings.site.simulated else 0.0
    columns = min(COLUMNS, len(glaciers))
    rows = math.ceil(len(glaciers) / columns)
    height_in = banner_in + HEAD_IN + rows * PANEL_IN + FOOT_IN
    with plain_style():
        figure = new_figure(WIDTH_IN, height_in, simulated=findings.site.simulated)
        grid = figure.add_gridspec(
            rows, columns, left=0.09, right=0.98, bottom=FOOT_IN / height_in,
            top=1 - (banner_in + HEAD_IN) / height_in, hspace=0.35, wspace=0.1,
        )  # fmt: skip
        panels = grid.subplots(sharex=True, sharey=True, squeeze=False)
        for panel, rgi_id in zip(panels.flat, glaciers, strict=False):
            _draw_panel(panel, [row for row in fronts if row.rgi_id == rgi_id], findings.years)
        for panel in list(panels.flat)[len(glaciers) :]:
            panel.set_axis_off()
        panels[0, 0].set_ylim(*axis_limits_m(fronts))
        ticks = rounding.year_ticks(findings.years)[:: 2 if columns > 2 else 1]
        panels[0, 0].set_xticks(ticks, [str(tick) for tick in ticks])
        title = f"Retreat of the ice front (m), {phrases.IMAGES_ALONE}"
        figure.text(0.09, 1 - (banner_in + 0.22) / height_in, title, size=11, weight="bold", va="center")
        return encode_png(figure)


def _draw_panel(axes: Any, rows: list[FrontRow], years: list[int]) -> None:
    positions = [row for row in rows if row.retreat_m is not None]
    for year in sorted(set(years) - {row.year for row in positions}):
        axes.axvspan(year - 0.4, year + 0.4, color=hexadecimal(GREY_LIGHT), alpha=0.3, linewidth=0)
    axes.axhline(0, color=hexadecimal(MUTED), linewidth=0.8)
    axes.errorbar(
        [row.year for row in positions], [row.retreat_m for row in positions],
        yerr=[row.position_sigma_m or 0.0 for row in positions],
        fmt="o", color=hexadecimal(BLUE), markersize=4, capsize=3, linewidth=1.2,
    )  # fmt: skip
    axes.set_title(rows[0].glac_name or rows[0].rgi_id, loc="left", size=9)
    axes.set_xlim(years[0] - 0.7, years[-1] + 0.7)
    axes.tick_params(labelsize=8.5)
    axes.grid(visible=False, axis="x")


def axis_limits_m(rows: list[FrontRow]) -> tuple[float, float]:
    """Return bottom and top of the axis in metres: zero and all positions with their bars, and no less than noise."""
    retreats = [(row.retreat_m, row.position_sigma_m or 0.0) for row in rows if row.retreat_m is not None]
    low = min(0.0, *(retreat - sigma for retreat, sigma in retreats))
    high = max(0.0, *(retreat + sigma for retreat, sigma in retreats))
    span = max(1.1 * (high - low), SPAN_MIN_M, SPAN_OF_SIGMA_MIN * max(sigma for _, sigma in retreats))
    middle = (low + high) / 2
    return middle - span / 2, middle + span / 2
