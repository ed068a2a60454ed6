"""glacier_retreat_graph.png: area per year with its interval, and the trend where there is one."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Sequence
from typing import Any

from stages.common.tables_area import AreaRow, Trend
from stages.common.tables_truth import TruthRow
from stages.report import rounding
from stages.report.figures import BANNER_IN, new_figure, plain_style, png
from stages.report.findings import Findings
from stages.report.style import BLUE, BLUE_LIGHT, GREEN, GREY_LIGHT, INTERVAL, MUTED, VERMILLION, hexadecimal

WIDTH_IN, AXES_IN = 9.0, 4.2
ABOVE_IN = 1.0
"""Title and legend."""
NOTE_COLUMNS = 112
LINE_IN = 0.2

ONE_YEAR = "One year gives an area, not a change: a trend needs more years."

INTERVAL_SHARE_MAX = 0.25
"""An interval fills at most this share of the axis, so that noise never looks like change."""
SPAN_OF_MEAN_MIN = 0.02
"""The axis spans at least this share of the mean area."""
DATA_SHARE = 0.8
"""Points with their intervals fill this share of the axis, where the two bounds above allow."""
DIFFERS_SIGMA = 0.1
"""The common area is a series of its own where it differs by more than this share of a sigma."""
HIDDEN_SIGMA = 0.5
"""A year is partly hidden where more of the prior outlines than this share of a sigma was not seen."""


def draw_graph(findings: Findings) -> bytes:
    """The graph as PNG."""
    notes = [line for note in graph_notes(findings) for line in textwrap.wrap(note, NOTE_COLUMNS)]
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
        for index, line in enumerate(reversed(notes)):
            figure.text(0.09, (0.12 + LINE_IN * index) / height_in, line, size=9, color=hexadecimal(MUTED))
        return png(figure)


def graph_notes(findings: Findings) -> list[str]:
    """Sentences under the graph."""
    statement = findings.trend.statement if len(findings.years) > 1 else ONE_YEAR
    axis = " The axis does not start at zero." if axis_limits(findings.areas, findings.truth)[0] > 0 else ""
    common = " Common area: ice over pixels seen in every year that counts." if common_areas(findings.areas) else ""
    true = " True area: over the pixels seen that year." if findings.truth else ""
    return [statement, f"Bars: {INTERVAL}.{common}{true}{axis}"]


def axis_limits(rows: Sequence[AreaRow], truth: Sequence[TruthRow] = ()) -> tuple[float, float]:
    """Bottom and top of the area axis in km2: the data with their intervals, padded, never below zero."""
    values = [value for row in rows for value in _extent(row)] + [row.true_area_km2 for row in truth]
    low, high = min(values), max(values)
    span = max(
        (high - low) / DATA_SHARE,
        max(row.area_high_km2 - row.area_low_km2 for row in rows) / INTERVAL_SHARE_MAX,
        SPAN_OF_MEAN_MIN * statistics.fmean(row.glacier_area_km2 for row in rows),
        1e-6,
    )
    bottom = max(0.0, (low + high - span) / 2)
    return bottom, bottom + span


def common_areas(rows: Sequence[AreaRow]) -> dict[int, float]:
    """Common area by year where any year's differs from its own area; else empty."""
    common = {row.year: row.common_area_km2 for row in rows if row.common_area_km2 is not None}
    differ = [
        row.year
        for row in rows
        if row.year in common
        and abs(common[row.year] - row.glacier_area_km2) > max(DIFFERS_SIGMA * rounding.sigma_km2(row), 1e-9)
    ]
    return common if differ else {}


def partly_hidden(row: AreaRow) -> bool:
    """So much of the prior outlines was not seen that the area falls short by it."""
    return row.unseen_km2 > max(HIDDEN_SIGMA * rounding.sigma_km2(row), 1e-9)


def connected(rows: Sequence[AreaRow]) -> list[list[AreaRow]]:
    """Rows to join by a line: neither across a missing year nor through a partly hidden one, which looks like loss."""
    pieces: list[list[AreaRow]] = []
    for row in rows:
        if partly_hidden(row):
            continue
        if pieces and pieces[-1][-1].year == row.year - 1:
            pieces[-1].append(row)
        else:
            pieces.append([row])
    return pieces


def trend_line(rows: Sequence[AreaRow], trend: Trend, slope_km2_per_year: float) -> list[tuple[float, float]]:
    """First, median and last point (year, km2) of a line with this slope through the medians of the trend's years."""
    areas = {row.year: row.common_area_km2 for row in rows}
    used = [(year, area) for year in trend.years if (area := areas.get(year)) is not None]
    if not used:
        return []
    middle_year = statistics.median(year for year, _ in used)
    middle_area = statistics.median(area for _, area in used)
    years = (used[0][0], middle_year, used[-1][0])
    return [(year, middle_area + slope_km2_per_year * (year - middle_year)) for year in years]


def _extent(row: AreaRow) -> list[float]:
    extent = [row.area_low_km2, row.area_high_km2, row.glacier_area_km2 + row.unseen_km2]
    return extent if row.common_area_km2 is None else [*extent, row.common_area_km2]


def _draw_legend(figure: Any, axes: Any, top: float) -> None:
    """Under the title, two lines at most, the measured points first."""
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
    _draw_trend(axes, findings)
    _draw_unseen(axes, rows)
    _draw_common(axes, rows)
    _draw_truth(axes, findings)
    _draw_areas(axes, rows, findings.trend.excluded_years)
    axes.set_xlim(years[0] - 0.6, years[-1] + 0.6)
    axes.set_xticks(ticks := rounding.year_ticks(years), [str(tick) for tick in ticks])
    axes.set_ylim(*axis_limits(rows, findings.truth))
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


def _draw_areas(axes: Any, rows: Sequence[AreaRow], excluded: Sequence[int]) -> None:
    colour = hexadecimal(BLUE)
    for piece in connected(rows):
        axes.plot(
            [row.year for row in piece],
            [row.glacier_area_km2 for row in piece],
            color=colour,
            linewidth=1,
            alpha=0.5,
            zorder=3,
        )
    groups = (
        ("glacier area", colour, [row for row in rows if not partly_hidden(row) and row.year not in excluded]),
        (
            "partly hidden",
            hexadecimal(BLUE_LIGHT),
            [row for row in rows if partly_hidden(row) and row.year not in excluded],
        ),
        ("left out of the common area", "white", [row for row in rows if row.year in excluded]),
    )
    for label, face, group in groups:
        if group:
            axes.errorbar(
                [row.year for row in group], [row.glacier_area_km2 for row in group], yerr=_bars(group),
                fmt="o", color=colour, mfc=face, markersize=6, capsize=4, linewidth=1.4, label=label, zorder=4,
            )  # fmt: skip


def _bars(rows: Sequence[AreaRow]) -> list[list[float]]:
    """Lengths down and up; an interval that does not hold its area (after clipping) has no negative length."""
    return [
        [max(0.0, row.glacier_area_km2 - row.area_low_km2) for row in rows],
        [max(0.0, row.area_high_km2 - row.glacier_area_km2) for row in rows],
    ]


def _draw_common(axes: Any, rows: Sequence[AreaRow]) -> None:
    common = common_areas(rows)
    if common:
        axes.plot(
            list(common), list(common.values()), linestyle="none", marker="D", markersize=5.5,
            markerfacecolor="white", color=hexadecimal(VERMILLION), label="common area", zorder=5,
        )  # fmt: skip


def _draw_truth(axes: Any, findings: Findings) -> None:
    """What a perfect map would show: a dash a year, joined by a thin line as the mapped areas are."""
    true = {row.year: row.true_area_km2 for row in findings.truth}
    if not true:
        return
    colour = hexadecimal(GREEN)
    for piece in connected(findings.areas):
        axes.plot([row.year for row in piece], [true[row.year] for row in piece], color=colour, linewidth=1, zorder=3)
    axes.plot(
        list(true), list(true.values()), linestyle="none", marker="_", markersize=16, markeredgewidth=1.6,
        color=colour, label="true area", zorder=3,
    )  # fmt: skip


def _draw_unseen(axes: Any, rows: Sequence[AreaRow]) -> None:
    """Dotted up to what the area would be if all of the prior outlines that was hidden were ice: cloud is no loss."""
    hidden = [row for row in rows if partly_hidden(row)]
    if hidden:
        axes.vlines(
            [row.year for row in hidden], [row.glacier_area_km2 for row in hidden],
            [row.glacier_area_km2 + row.unseen_km2 for row in hidden],
            linestyle=":", color=hexadecimal(MUTED), linewidth=1.6, label="prior outline not seen", zorder=2,
        )  # fmt: skip


def _draw_gaps(axes: Any, years: Sequence[int]) -> None:
    missing = [year for year in range(years[0], years[-1] + 1) if year not in years]
    for index, year in enumerate(missing):
        label = "year not in the series" if index == 0 else None
        axes.axvspan(year - 0.5, year + 0.5, color=hexadecimal(GREY_LIGHT), alpha=0.25, linewidth=0, label=label)


def _draw_trend(axes: Any, findings: Findings) -> None:
    trend = findings.trend
    if trend.slope_km2_per_year is None:
        return
    line = trend_line(findings.areas, trend, trend.slope_km2_per_year)
    if not line:
        return
    label = "slope, not detectable" if trend.detectable is False else "slope"
    colour = hexadecimal(VERMILLION)
    axes.plot(
        *zip(*line, strict=True),
        color=colour,
        linewidth=1.4,
        linestyle="--" if trend.detectable is False else "-",
        label=label,
    )
    if trend.slope_low_km2_per_year is not None and trend.slope_high_km2_per_year is not None:
        years, low = zip(*trend_line(findings.areas, trend, trend.slope_low_km2_per_year), strict=True)
        _, high = zip(*trend_line(findings.areas, trend, trend.slope_high_km2_per_year), strict=True)
        axes.fill_between(years, low, high, color=colour, alpha=0.12, linewidth=0, label="95 % interval of the slope")
