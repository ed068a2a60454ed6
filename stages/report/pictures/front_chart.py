"""Ice fronts: how far they went back, for the largest glaciers in pictures and for all in a table."""

from __future__ import annotations

import math
from typing import Any

from stages.common.display.colours import BLUE, GREY_LIGHT, MUTED, hexadecimal
from stages.common.tables.area import FrontRow, FrontTrendRow
from stages.report import rounding
from stages.report.findings import Findings
from stages.report.numbers import Number, number, optional, p_value, signed
from stages.report.pictures.figures import BANNER_IN, new_figure, plain_style, png

LARGEST, COLUMNS = 6, 3
PANEL_IN, WIDTH_IN = 2.1, 9.0
HEAD_IN, FOOT_IN = 0.7, 0.55
SPAN_MIN_M = 100.0
"""Least height of the axis: a front that stands still must look so."""
SPAN_OF_SIGMA_MIN = 8.0
"""And at least this many sigma, so that bars never look like change."""

NOT_MEASURED = "The ice fronts were not measured"


def why_no_front(fronts: list[FrontRow]) -> str | None:
    """The sentence in place of chart and table; None where any front has a position."""
    if any(row.position_m is not None for row in fronts):
        return None
    reasons = sorted({row.reason for row in fronts if row.reason})
    return f"{NOT_MEASURED}: {'; '.join(reasons) or 'no glacier is large enough, or there is no flow line'}."


def gaps(fronts: list[FrontRow]) -> list[tuple[str, int]]:
    """Why positions are missing, and how often, the commonest first."""
    counts: dict[str, int] = {}
    for row in fronts:
        if row.position_m is None:
            reason = row.reason or "no reason given"
            counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def front_lines(rows: list[FrontTrendRow]) -> list[dict[str, Any]]:
    """The table, the longest retreat first; metres, and metres a year."""
    ordered = sorted(rows, key=lambda row: (-row.retreat_m, row.rgi_id))
    return [
        {
            "row": row,
            "retreat": signed(row.retreat_m, 0),
            "sigma": number(row.retreat_sigma_m, 0),
            "rate": _signed(row.rate_m_per_year),
            "interval": (low, high)
            if (low := _signed(row.rate_low_m_per_year)) and (high := _signed(row.rate_high_m_per_year))
            else None,
            "box": _signed(row.box_rate_m_per_year),
            "minimum": optional(row.minimum_detectable_m_per_year, 1),
            "p": None if row.mann_kendall_p is None else p_value(row.mann_kendall_p),
        }
        for row in ordered
    ]


def shown_glaciers(findings: Findings) -> list[str]:
    """The largest glaciers, by their area in the last year, whose front is known in two years or more."""
    known: dict[str, int] = {}
    for row in findings.statistics.fronts:
        known[row.rgi_id] = known.get(row.rgi_id, 0) + (row.retreat_m is not None)
    last = {row.rgi_id: row.area_km2 for row in findings.glaciers if row.year == findings.years[-1]}
    ordered = sorted((one for one in known if known[one] > 1), key=lambda one: (-last.get(one, 0.0), one))
    return ordered[:LARGEST]


def front_chart(findings: Findings) -> bytes:
    """Retreat since the first year seen, a panel a glacier, all on the same axes."""
    shown = shown_glaciers(findings)
    fronts = [row for row in findings.statistics.fronts if row.rgi_id in shown]
    banner_in = BANNER_IN if findings.site.simulated else 0.0
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    height_in = banner_in + HEAD_IN + rows * PANEL_IN + FOOT_IN
    with plain_style():
        figure = new_figure(WIDTH_IN, height_in, simulated=findings.site.simulated)
        grid = figure.add_gridspec(
            rows, columns, left=0.09, right=0.98, bottom=FOOT_IN / height_in,
            top=1 - (banner_in + HEAD_IN) / height_in, hspace=0.35, wspace=0.1,
        )  # fmt: skip
        panels = grid.subplots(sharex=True, sharey=True, squeeze=False)
        for panel, rgi_id in zip(panels.flat, shown, strict=False):
            _panel(panel, [row for row in fronts if row.rgi_id == rgi_id], findings.years)
        for panel in list(panels.flat)[len(shown) :]:
            panel.set_axis_off()
        panels[0, 0].set_ylim(*_limits(fronts))
        ticks = rounding.year_ticks(findings.years)[:: 2 if columns > 2 else 1]
        panels[0, 0].set_xticks(ticks, [str(tick) for tick in ticks])
        title = "Retreat of the ice front (m)"
        figure.text(0.09, 1 - (banner_in + 0.22) / height_in, title, size=11, weight="bold", va="center")
        return png(figure)


def _panel(axes: Any, rows: list[FrontRow], years: list[int]) -> None:
    seen = [row for row in rows if row.retreat_m is not None]
    for year in sorted(set(years) - {row.year for row in seen}):
        axes.axvspan(year - 0.4, year + 0.4, color=hexadecimal(GREY_LIGHT), alpha=0.3, linewidth=0)
    axes.axhline(0, color=hexadecimal(MUTED), linewidth=0.8)
    axes.errorbar(
        [row.year for row in seen], [row.retreat_m for row in seen], yerr=[row.position_sigma_m or 0.0 for row in seen],
        fmt="o", color=hexadecimal(BLUE), markersize=4, capsize=3, linewidth=1.2,
    )  # fmt: skip
    axes.set_title(rows[0].glac_name or rows[0].rgi_id, loc="left", size=9)
    axes.set_xlim(years[0] - 0.7, years[-1] + 0.7)
    axes.tick_params(labelsize=8.5)
    axes.grid(visible=False, axis="x")


def _limits(rows: list[FrontRow]) -> tuple[float, float]:
    seen = [(row.retreat_m, row.position_sigma_m or 0.0) for row in rows if row.retreat_m is not None]
    low = min(0.0, *(value - sigma for value, sigma in seen))
    high = max(0.0, *(value + sigma for value, sigma in seen))
    span = max(1.1 * (high - low), SPAN_MIN_M, SPAN_OF_SIGMA_MIN * max(sigma for _, sigma in seen))
    middle = (low + high) / 2
    return middle - span / 2, middle + span / 2


def _signed(value: float | None) -> Number | None:
    return None if value is None else signed(value, 1)
