"""glacier_retreat_graph.png: area per year with its interval, and the trend where there is one."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from stages.common.display import phrases, rounding
from stages.common.display.colours import BLUE, BLUE_LIGHT, GREEN, GREY_LIGHT, INK, MUTED, VERMILLION, hexadecimal
from stages.common.display.numbers import decimals_for
from stages.common.drawing.figures import BANNER_IN, encode_png, new_figure, plain_style
from stages.common.tables.area import AreaRow
from stages.common.tables.change import ChangeTrend
from stages.report.findings import Findings
from stages.report.numbers import plain_number
from stages.report.pictures import graph_data
from stages.report.pictures.change_chart import trend_line

WIDTH_IN, AXES_IN = 9.0, 4.2
ABOVE_IN = 1.0
"""Height of title and legend, inches."""
NOTE_COLUMNS = 112
LINE_IN = 0.2

ONE_YEAR = "One year gives an area, not a change: a trend needs more years."


def draw_graph(findings: Findings) -> bytes:
    """Draw the graph as PNG."""
    statement, *remarks = (textwrap.wrap(note, NOTE_COLUMNS) for note in graph_notes(findings))
    notes = [(line, INK) for line in statement] + [(line, MUTED) for remark in remarks for line in remark]
    below_in = 0.75 + LINE_IN * len(notes)
    above_in = ABOVE_IN + (BANNER_IN if findings.site.simulated else 0)
    height_in = above_in + AXES_IN + below_in
    with plain_style():
        figure = new_figure(WIDTH_IN, height_in, simulated=findings.site.simulated)
        box = (0.09, below_in / height_in, 0.88, AXES_IN / height_in)
        axes = figure.add_axes(box)
        _draw(axes, findings)
        title = f"{findings.site.title}: glacier area per year"
        figure.text(0.09, 1 - (above_in - ABOVE_IN + 0.3) / height_in, title, size=13, weight="bold", va="center")
        _draw_legend(figure, axes, 1 - (above_in - ABOVE_IN + 0.48) / height_in)
        for index, (line, colour) in enumerate(reversed(notes)):
            figure.text(0.09, (0.12 + LINE_IN * index) / height_in, line, size=9, color=hexadecimal(colour))
        return encode_png(figure)


def graph_notes(findings: Findings) -> list[str]:
    """Return the sentences under the graph: what can be concluded, and what is drawn."""
    rows = findings.areas
    notes = [f"{findings.trend.statement.rstrip('.')}." if len(findings.years) > 1 else ONE_YEAR]
    minimum = findings.trend.minimum_detectable_km2_per_year
    if minimum is not None:
        minimum_text = plain_number(minimum, decimals_for(minimum)).text
        if minimum_text not in notes[0]:
            notes.append(f"A change below {minimum_text} km² per year could not be detected (80 % power).")
    product = findings.statistics.change_trend
    if len(findings.years) > 1:
        notes[0] = f"{phrases.COMMON_AREA}: {notes[0]}"
        notes[:0] = [f"{phrases.CHANGE_PRODUCT}: {product.statement}."] if product else []
    has_95 = any(row.area_low95_km2 is not None for row in rows)
    bars = "Bars: 68 % interval (thick) and 95 % interval (thin)." if has_95 else "Bars: 68 % interval."
    has_change = bool(graph_data.change_areas(findings.statistics))
    common = " Change product: ice where glaciers can change, on the pixels observed in every year, at the mean day."
    if not has_change:
        common = " Common area: ice from the images alone, on the pixels observed in every year that is not left out."
    truth = " True area: on the pixels observed that year." if findings.truth else ""
    values = list(graph_data.change_areas(findings.statistics).values())
    axis = " The axis does not start at zero." if graph_data.axis_limits(rows, findings.truth, values)[0] > 0 else ""
    return [*notes, f"{bars}{common if has_change or graph_data.common_areas(rows) else ''}{truth}{axis}"]


def _draw_legend(figure: Any, axes: Any, top: float) -> None:
    """Draw the legend under the title, in two lines at most, the measured points first."""
    handles, labels = axes.get_legend_handles_labels()
    # Error bars are tuples of artists, all else is one artist.
    order = sorted(range(len(labels)), key=lambda index: not isinstance(handles[index], tuple))
    figure.legend(
        [handles[index] for index in order], [labels[index] for index in order], loc="upper left",
        ncols=max(4, math.ceil(len(labels) / 2)),
        bbox_to_anchor=(0.085, top), borderaxespad=0, fontsize=8.5, handletextpad=0.5, columnspacing=1.4,
    )  # fmt: skip


def _draw(axes: Any, findings: Findings) -> None:
    rows, years = findings.areas, findings.years
    _draw_gaps(axes, years)
    change = graph_data.change_areas(findings.statistics)
    if change:
        _draw_change(axes, findings.statistics.change_trend, change)
    else:
        _draw_trend(axes, findings)
        _draw_common(axes, rows)
    _draw_unseen(axes, rows)
    _draw_truth(axes, findings)
    _draw_areas(axes, rows, findings.trend.excluded_years, findings.rejected_years)
    axes.set_xlim(years[0] - 0.6, years[-1] + 0.6)
    axes.set_xticks(ticks := rounding.year_ticks(years), [str(tick) for tick in ticks])
    axes.set_ylim(*graph_data.axis_limits(rows, findings.truth, list(change.values())))
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("Glacier area (km²)")
    axes.set_xlabel("Year")
    if len(rows) == 1:
        text = rounding.area_text(rows[0], rounding.decimals_of(rows))
        axes.annotate(
            text, (years[0], rows[0].glacier_area_km2), (14, 0), textcoords="offset points", va="center",
            backgroundcolor="white",
        )  # fmt: skip


def _draw_areas(axes: Any, rows: Sequence[AreaRow], excluded: Sequence[int], rejected: Sequence[int]) -> None:
    colour = hexadecimal(BLUE)
    for piece in graph_data.line_pieces(rows):
        axes.plot(
            [row.year for row in piece],
            [row.glacier_area_km2 for row in piece],
            color=colour,
            linewidth=1,
            alpha=0.5,
            zorder=3,
        )
    groups = (
        (
            f"glacier area: {phrases.SHORT_PRODUCTS[rows[0].product]}",
            colour,
            [row for row in rows if not graph_data.partly_unseen(row) and row.year not in excluded],
        ),
        (
            "partly unseen",
            hexadecimal(BLUE_LIGHT),
            [row for row in rows if graph_data.partly_unseen(row) and row.year not in excluded],
        ),
        (
            "left out of the common area",
            "white",
            [row for row in rows if row.year in excluded and row.year not in rejected],
        ),
        ("left out: a person rejected the map", "white", [row for row in rows if row.year in rejected]),
    )
    for label, face, group in groups:
        if group:
            points = [row.year for row in group], [row.glacier_area_km2 for row in group]
            axes.errorbar(
                *points, yerr=graph_data.error_bars(group, wide=True), fmt="none", color=colour, capsize=4, linewidth=1,
                zorder=4,
            )  # fmt: skip
            axes.errorbar(
                *points, yerr=graph_data.error_bars(group), fmt="o", color=colour, mfc=face, markersize=6,
                linewidth=3.2, label=label, zorder=5,
            )  # fmt: skip


def _draw_common(axes: Any, rows: Sequence[AreaRow]) -> None:
    common = graph_data.common_areas(rows)
    if common:
        axes.plot(
            list(common), list(common.values()), linestyle="none", marker="D", markersize=5.5,
            markerfacecolor="white", color=hexadecimal(VERMILLION), label="common area", zorder=5,
        )  # fmt: skip


def _draw_truth(axes: Any, findings: Findings) -> None:
    """Draw what a perfect map would show: one dash per year, joined by a thin line like the mapped areas."""
    true_areas = {row.year: row.true_area_km2 for row in findings.truth}
    if not true_areas:
        return
    colour = hexadecimal(GREEN)
    for piece in graph_data.line_pieces(findings.areas):
        years = [row.year for row in piece]
        axes.plot(years, [true_areas[year] for year in years], color=colour, linewidth=1, zorder=3)
    axes.plot(
        list(true_areas), list(true_areas.values()), linestyle="none", marker="_", markersize=16, markeredgewidth=1.6,
        color=colour, label="true area", zorder=3,
    )  # fmt: skip


def _draw_unseen(axes: Any, rows: Sequence[AreaRow]) -> None:
    """Draw a dotted line up to the area that a year would have if all its unseen area were ice: cloud is not loss."""
    unseen = [row for row in rows if graph_data.partly_unseen(row)]
    if unseen:
        axes.vlines(
            [row.year for row in unseen], [row.glacier_area_km2 for row in unseen],
            [row.glacier_area_km2 + row.unseen_km2 for row in unseen],
            linestyle=":", color=hexadecimal(MUTED), linewidth=1.6, label="unseen prior outline", zorder=2,
        )  # fmt: skip


def _draw_gaps(axes: Any, years: Sequence[int]) -> None:
    missing = [year for year in range(years[0], years[-1] + 1) if year not in years]
    for index, year in enumerate(missing):
        label = "year not in the series" if index == 0 else None
        axes.axvspan(year - 0.5, year + 0.5, color=hexadecimal(GREY_LIGHT), alpha=0.25, linewidth=0, label=label)


def _draw_change(axes: Any, trend: ChangeTrend | None, areas: Mapping[int, float]) -> None:
    """Draw the change product: areas without the effect of the scene's day, and the line with its interval."""
    line = trend_line(trend) if trend else []
    if trend is None or not line:
        return
    colour, verdict = hexadecimal(VERMILLION), "detected" if trend.detectable else "not detected"
    axes.plot(
        list(areas), list(areas.values()), linestyle="none", marker="D", markersize=5.5, markerfacecolor="white",
        color=colour, label="change product", zorder=5,
    )  # fmt: skip
    axes.plot(
        *zip(*line, strict=True), color=colour, linewidth=1.4, linestyle="-" if trend.detectable else "--",
        label=f"slope of the change product: {verdict}",
    )  # fmt: skip
    ends = trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    if None not in ends:
        low, high = (graph_data.turned(line, end) for end in ends if end is not None)
        years = [year for year, _ in low]
        axes.fill_between(
            years, [km2 for _, km2 in low], [km2 for _, km2 in high], color=colour, alpha=0.12, linewidth=0,
            label="95 % interval of the slope",
        )  # fmt: skip


def _draw_trend(axes: Any, findings: Findings) -> None:
    trend = findings.trend
    if trend.slope_km2_per_year is None:
        return
    line = graph_data.trend_line(findings.areas, trend, trend.slope_km2_per_year)
    if not line:
        return
    label = "slope, no change detected" if trend.detectable is False else "slope"
    colour = hexadecimal(VERMILLION)
    axes.plot(
        *zip(*line, strict=True),
        color=colour,
        linewidth=1.4,
        linestyle="--" if trend.detectable is False else "-",
        label=label,
    )
    if trend.slope_low_km2_per_year is not None and trend.slope_high_km2_per_year is not None:
        years, low = zip(*graph_data.trend_line(findings.areas, trend, trend.slope_low_km2_per_year), strict=True)
        _, high = zip(*graph_data.trend_line(findings.areas, trend, trend.slope_high_km2_per_year), strict=True)
        axes.fill_between(years, low, high, color=colour, alpha=0.12, linewidth=0, label="95 % interval of the slope")
