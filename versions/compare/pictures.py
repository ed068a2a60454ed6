"""Pictures of a comparison: where the maps differ, how often, and both series of areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.common.display.colours import BLACK, BLUE, GREY_LIGHT, GROUND, ICE, INK, PAPER, VERMILLION, hexadecimal
from stages.common.display.numbers import length_text, round_length_m
from stages.common.drawing.figures import BANNER_IN, encode_png, new_figure, plain_style
from stages.common.drawing.maps import MapSize, fit_map, hatch, outline_pixels, paint
from stages.common.geo.grid import Grid
from stages.common.types import AnyArray, BoolArray, UInt8Array
from versions.compare.difference import BOTH, ONLY_A, ONLY_B, UNSEEN
from versions.compare.tables import VersionComparison

SIDE_A, SIDE_B = VERMILLION, BLUE
PANEL_IN, SMALL_IN = 5.6, 2.3
PANEL_PX, SMALL_PX = 640, 260
MAX_SMALL = 12
COUNT_COLOURS = "cividis"


def shrink(pixels: AnyArray, view: MapSize) -> AnyArray:
    """Return the view (h, w) of `pixels` (H, W): the nearest pixel of each, so that classes stay classes."""
    rows, columns = (
        ((np.arange(small) + 0.5) * large / small).astype(int)
        for small, large in zip((view.height, view.width), pixels.shape[:2], strict=True)
    )
    return np.asarray(pixels[np.ix_(rows, columns)])


def paint_classes(classes: UInt8Array, prior: BoolArray | None = None) -> UInt8Array:
    """Return a picture (h, w, 3) of the `classes` (h, w), with the outline of `prior` where it is given."""
    picture = np.full((*classes.shape, 3), GROUND, dtype=np.uint8)
    for kind, colour in ((BOTH, ICE), (ONLY_A, SIDE_A), (ONLY_B, SIDE_B)):
        picture = paint(picture, classes == kind, colour)
    picture = hatch(picture, classes == UNSEEN)
    return picture if prior is None else paint(picture, outline_pixels(prior), BLACK)


def difference_map(comparison: VersionComparison, maps: Sequence[UInt8Array], prior: BoolArray, grid: Grid) -> bytes:
    """Draw the last year's map of differences, and in how many years each pixel is in dispute, as PNG."""
    view = fit_map(grid, max_width=PANEL_PX, max_height=PANEL_PX)
    panels = 2 if len(maps) > 1 else 1
    high = PANEL_IN * view.height / view.width
    with plain_style():
        figure, axes = _sheet(panels, 1, (PANEL_IN, high), comparison, foot_in=1.05)
        last = paint_classes(shrink(maps[-1], view), shrink(prior, view))
        _show(axes[0], last, f"{comparison.years[-1]}: {_km2(comparison, -1)} km² in dispute")
        if panels == 2:
            _count_panel(figure, axes[1], np.sum([_disputed(classes) for classes in maps], axis=0), view, len(maps))
        _legend(figure, comparison)
        _scale_bar(axes[0], view)
        return encode_png(figure)


def small_maps(comparison: VersionComparison, maps: Sequence[UInt8Array], grid: Grid) -> bytes:
    """Draw a small map of differences for each year, as PNG; at most twelve, evenly chosen."""
    view = fit_map(grid, max_width=SMALL_PX, max_height=SMALL_PX)
    count = min(len(maps), MAX_SMALL)
    chosen = np.round(np.linspace(0, len(maps) - 1, count)).astype(int).tolist()
    columns = min(5, count)
    rows = -(-count // columns)
    with plain_style():
        size = (SMALL_IN, SMALL_IN * view.height / view.width)
        figure, axes = _sheet(columns, rows, size, comparison, foot_in=0.6)
        for place, index in zip(axes, chosen, strict=False):
            title = f"{comparison.years[index]}: {_km2(comparison, index)} km²"
            _show(place, paint_classes(shrink(maps[index], view)), title)
        _legend(figure, comparison)
        return encode_png(figure)


def area_graph(comparison: VersionComparison) -> bytes:
    """Draw the areas per year of both models, with intervals, as PNG."""
    rows = comparison.areas
    years = np.array([row.year for row in rows], dtype=float)
    with plain_style():
        figure = new_figure(9.2, 3.8, simulated=comparison.simulated)
        top = 0.91 - (BANNER_IN / 3.8 if comparison.simulated else 0)
        axes = figure.add_axes((0.09, 0.13, 0.89, top - 0.13))
        for name, label, shift, colour, mark in (
            ("a", comparison.a.name, -0.08, SIDE_A, "o"), ("b", comparison.b.name, 0.08, SIDE_B, "s"),
        ):  # fmt: skip
            value, low, high = (
                np.array([getattr(row, f"{name}_{part}km2") for row in rows]) for part in ("", "low_", "high_")
            )
            axes.errorbar(
                years + shift, value, yerr=[value - low, high - value], color=hexadecimal(colour), marker=mark,
                capsize=3, linewidth=1.2, markersize=5, label=f"{name.upper()}: {label}",
            )  # fmt: skip
        axes.set_xticks(years, [f"{row.year}" for row in rows])
        axes.set_ylabel("glacier area, km²")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
        return encode_png(figure)


def _disputed(classes: UInt8Array) -> UInt8Array:
    return np.asarray((classes == ONLY_A) | (classes == ONLY_B), dtype=np.uint8)


def _km2(comparison: VersionComparison, index: int) -> str:
    return f"{comparison.areas[index].dispute_km2:.2f}"


def _sheet(
    columns: int, rows: int, panel_in: tuple[float, float], comparison: VersionComparison, *, foot_in: float
) -> tuple[Any, list[Any]]:
    """Return a figure with panels row by row, room for a title over each and a legend below."""
    gap, head = 0.14, 0.28
    banner = BANNER_IN if comparison.simulated else 0.0
    width = columns * panel_in[0] + (columns + 1) * gap
    height = banner + rows * (panel_in[1] + head) + gap + foot_in
    figure = new_figure(width, height, simulated=comparison.simulated)
    axes = []
    for index in range(columns * rows):
        row, column = divmod(index, columns)
        left = gap + column * (panel_in[0] + gap)
        bottom = height - banner - (row + 1) * (panel_in[1] + head)
        panel = figure.add_axes((left / width, bottom / height, panel_in[0] / width, panel_in[1] / height))
        panel.set_axis_off()
        axes.append(panel)
    return figure, axes


def _show(axes: Any, picture: UInt8Array, title: str) -> None:
    axes.imshow(picture, interpolation="nearest", aspect="auto")
    axes.set_title(title, loc="left", size=9, pad=4)


def _count_panel(figure: Any, axes: Any, years: AnyArray, view: MapSize, most: int) -> None:
    """Draw in how many years each pixel is in dispute; white: in none."""
    shown = np.ma.masked_equal(shrink(years, view), 0)
    axes.set_facecolor(hexadecimal(PAPER))
    image = axes.imshow(shown, cmap=COUNT_COLOURS, vmin=1, vmax=max(most, 2), interpolation="nearest", aspect="auto")
    axes.set_title(f"years in dispute, of {most}", loc="left", size=9, pad=4)
    axes.patch.set_visible(True)
    axes.set_axis_on()
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    place = axes.get_position()
    bar = figure.add_axes((place.x1 - 0.5 * place.width, place.y0 - 0.055, 0.5 * place.width, 0.015))
    figure.colorbar(image, cax=bar, orientation="horizontal", ticks=sorted({1, (1 + most) // 2, most}))
    bar.tick_params(labelsize=8, length=2)


def _legend(figure: Any, comparison: VersionComparison) -> None:
    from matplotlib.patches import Patch

    entries = [
        (f"ice for A alone ({comparison.a.name})", SIDE_A, None),
        (f"ice for B alone ({comparison.b.name})", SIDE_B, None),
        ("ice for both", ICE, None),
        ("not observed", GREY_LIGHT, "////"),
    ]
    patches = [
        Patch(facecolor=hexadecimal(colour), edgecolor="#505860", hatch=hatched, label=label, linewidth=0.8)
        for label, colour, hatched in entries
    ]
    figure.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0.012, 0.012), ncols=2, fontsize=9, borderaxespad=0,
        columnspacing=1.6,
    )  # fmt: skip


def _scale_bar(axes: Any, view: MapSize) -> None:
    """Draw a length on the ground, below the map at its right."""
    length_m = round_length_m(view.width * view.pixel_size_m / 4)
    share = length_m / (view.width * view.pixel_size_m)
    ink = hexadecimal(INK)
    axes.annotate(
        "", xy=(1 - share, -0.025), xytext=(1, -0.025), xycoords="axes fraction",
        arrowprops={"arrowstyle": "-", "linewidth": 3, "color": ink, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    axes.text(
        1 - share / 2, -0.05, f"{length_text(length_m)}, north is up", transform=axes.transAxes, ha="center", va="top",
        size=9,
    )  # fmt: skip
