"""prediction_gallery.png: scene, outlines, probability and difference to the prior outlines, year by year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.common.display import phrases
from stages.common.display.colours import (  # fmt: skip
    BLACK,
    BOTH,
    GAINED,
    GREY_DARK,
    GREY_LIGHT,
    GROUND,
    ICE,
    INK,
    LOST,
    REFERENCE,
    RGB,
    THIS_YEAR,
    VERMILLION,
    WHITE,
    hexadecimal,
)
from stages.common.display.numbers import length_text
from stages.common.drawing import maps
from stages.common.drawing.figures import DPI, figure_pixels, new_figure, plain_style
from stages.common.drawing.maps import MapSize
from stages.common.geo.raster import read_grid
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import AnyArray, BoolArray, Float32Array, UInt8Array
from stages.common.web_map import scenes
from stages.common.web_map.scenes import YearFiles
from stages.report.findings import Findings
from stages.report.pictures.map_marks import scale_bar
from stages.report.pictures.palette import few_colours

MAX_YEARS = 6
PANEL_PX, SINGLE_PANEL_PX = 400, 720
"""Longest edge of a panel: four panels in a row, or two by two where there is one year."""
GAP_PX, MARGIN_PX, PANEL_TITLE_PX, HEAD_PX, FOOT_PX, BANNER_PX = 14, 20, 26, 56, 104, 40

PROBABILITY_COLOURS = "cividis"
"""Colour map whose brightness rises evenly, and which looks the same to people who do not see red or green."""
RAMP_STEPS = 48

OWN_COLOURS = (
    BLACK, WHITE, INK, VERMILLION, REFERENCE, THIS_YEAR, ICE, LOST, GAINED, GROUND, GREY_LIGHT, GREY_DARK,
)  # fmt: skip
"""Colours with a meaning, which the palette keeps exactly."""

TITLES = ("scene", "outlines", "glacier probability", "difference")


def draw_gallery(findings: Findings) -> bytes:
    """Draw the gallery as PNG, panels pixel by pixel, so that outlines stay one pixel sharp."""
    years = spread_years(findings.years)
    columns, edge = (4, PANEL_PX) if len(years) > 1 else (2, SINGLE_PANEL_PX)
    map_size = maps.fit_map(read_grid(findings.glacier_id), max_width=edge, max_height=edge)
    scene_colours, stretch = scenes.read_colours(findings.files, map_size)
    prior = scenes.read_resized(findings.glacier_id, map_size)[0] > 0
    sheet = Sheet(map_size, columns, rows=4 * len(years) // columns, simulated=findings.site.simulated)
    with plain_style():
        sheet.make_figure()
        for index, year in enumerate(years):
            scene = scene_colours[year].natural(stretch)
            panels: tuple[AnyArray, ...] = year_panels(findings.files[year], map_size, prior, scene)
            for column, panel in enumerate(panels):
                mark = ", simulated" if findings.site.simulated else ""  # stays where a panel is cut out
                sheet.draw_panel(4 * index + column, panel, f"{year}: {TITLES[column]}{mark}")
        sheet.draw_marks(findings)
        return few_colours(figure_pixels(sheet.figure), own=[*OWN_COLOURS, *probability_ramp()])


def probability_ramp() -> list[RGB]:
    """Return the colours of the probability from 0 to 1 in steps, which the palette keeps so that the bar is even."""
    from matplotlib import colormaps

    ramp = colormaps[PROBABILITY_COLOURS](np.linspace(0, 1, RAMP_STEPS), bytes=True)[:, :3].tolist()
    return [(red, green, blue) for red, green, blue in ramp]


def spread_years(years: Sequence[int]) -> list[int]:
    """Select at most six years: the first, the last, and the others evenly between them."""
    count = min(MAX_YEARS, len(years))
    return [years[index] for index in np.round(np.linspace(0, len(years) - 1, count)).astype(int).tolist()]


def year_panels(
    files: YearFiles, map_size: MapSize, prior: BoolArray, scene: UInt8Array
) -> tuple[UInt8Array, UInt8Array, Float32Array, UInt8Array]:
    """Return the panels of a year: `scene`, outlines and difference as (h, w, 3) pictures, probability as (h, w)."""
    mask = scenes.read_mask(files, map_size)
    lines = draw_both_outlines(maps.hatch(scenes.dim(scene), mask == MASK_NODATA), prior, mask)
    return scene, lines, scenes.read_resized_probability(files, map_size), difference_picture(mask, prior)


def draw_both_outlines(picture: UInt8Array, prior: BoolArray, mask: AnyArray) -> UInt8Array:
    """Copy an (h, w, 3) picture with the prior outline, the mapped one, and in a third colour where they meet."""
    prior_line, mapped_line = (scenes.thicken(maps.outline_pixels(ice)) for ice in (prior, mask))
    for where, colour in (
        (prior_line, REFERENCE), (mapped_line, THIS_YEAR), (prior_line & mapped_line, BOTH),
    ):  # fmt: skip
        picture = maps.paint(picture, where, colour)
    return picture


def difference_picture(mask: AnyArray, prior: BoolArray) -> UInt8Array:
    """Draw as (h, w, 3): ice in both, in the prior outline only (lost), only mapped (gained), and unseen."""
    mapped, unseen = mask == 1, mask == MASK_NODATA
    picture = np.full((*mask.shape, 3), GROUND, dtype=np.uint8)
    for where, colour in ((mapped & prior, ICE), (prior & ~mapped, LOST), (mapped & ~prior, GAINED)):
        picture = maps.paint(picture, where, colour)
    picture = maps.hatch(picture, unseen)
    return maps.paint(picture, maps.outline_pixels(prior), BLACK)


class Sheet:
    """Figure whose panels are placed by pixels."""

    def __init__(self, map_size: MapSize, columns: int, *, rows: int, simulated: bool) -> None:
        self.map_size, self.columns, self.rows, self.simulated = map_size, columns, rows, simulated
        self.top = HEAD_PX + (BANNER_PX if simulated else 0)
        self.width = 2 * MARGIN_PX + columns * map_size.width + (columns - 1) * GAP_PX
        self.height = self.top + rows * (PANEL_TITLE_PX + map_size.height + GAP_PX) + FOOT_PX
        self.figure: Any = None
        self.probability: Any = None

    def make_figure(self) -> None:
        """Make the empty figure; called inside `plain_style`."""
        self.figure = new_figure(self.width / DPI, self.height / DPI, simulated=self.simulated)

    def figure_box(self, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
        """Convert pixels from the upper left corner to fractions of the figure from its lower left corner."""
        return left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height

    def draw_panel(self, index: int, panel: AnyArray, title: str) -> None:
        """Draw a panel at its place, counted row by row."""
        row, column = divmod(index, self.columns)
        left = MARGIN_PX + column * (self.map_size.width + GAP_PX)
        top = self.top + row * (PANEL_TITLE_PX + self.map_size.height + GAP_PX) + PANEL_TITLE_PX
        axes = self.figure.add_axes(self.figure_box(left, top, self.map_size.width, self.map_size.height))
        axes.set_axis_off()
        axes.set_title(title, loc="left", size=9, pad=4)
        if panel.ndim == 2:
            axes.imshow(unseen_background(panel), interpolation="nearest", aspect="auto")
            self.probability = axes.imshow(
                panel, cmap=PROBABILITY_COLOURS, vmin=0, vmax=1, interpolation="nearest", aspect="auto"
            )
        else:
            axes.imshow(panel, interpolation="nearest", aspect="auto")

    def draw_marks(self, findings: Findings) -> None:
        """Draw title, legend, colour bar and scale bar."""
        text = self.figure.text
        top = 1 - (self.top - HEAD_PX + 26) / self.height
        text(
            MARGIN_PX / self.width,
            top,
            f"{findings.site.title}: maps {phrases.IMAGES_ALONE}",
            size=13,
            weight="bold",
            va="center",
        )
        self._draw_legend()
        self._draw_colour_bar()
        self._draw_scale_bar()

    def _draw_legend(self) -> None:
        from matplotlib.patches import Patch

        entries = [
            ("prior outline", REFERENCE, None), ("mapped outline", THIS_YEAR, None), ("both", BOTH, None),
            ("ice in both", ICE, None), ("prior outline only", LOST, None),
            ("mapped only", GAINED, None), ("unseen", GREY_LIGHT, "////"),
        ]  # fmt: skip
        patches = [
            Patch(facecolor=hexadecimal(colour), edgecolor="#505860", hatch=hatch, label=label, linewidth=0.8)
            for label, colour, hatch in entries
        ]
        anchor = (MARGIN_PX / self.width, 12 / self.height)
        self.figure.legend(
            handles=patches, loc="lower left", bbox_to_anchor=anchor, ncols=3, fontsize=9,
            borderaxespad=0, borderpad=0, columnspacing=1.6,
        )  # fmt: skip

    def _draw_colour_bar(self) -> None:
        length = 220
        axes = self.figure.add_axes(self.figure_box(self.width - MARGIN_PX - length, self.height - 88, length, 12))
        bar = self.figure.colorbar(self.probability, cax=axes, orientation="horizontal", ticks=[0, 0.5, 1])
        bar.ax.tick_params(labelsize=8, length=2)
        bar.set_label("glacier probability", size=9, labelpad=1)

    def _draw_scale_bar(self) -> None:
        from matplotlib.lines import Line2D

        length_m, length = scale_bar(self.map_size)
        right = self.width - MARGIN_PX - 290
        y = 1 - (self.height - 76) / self.height
        ends = [(right - length) / self.width, right / self.width]
        self.figure.add_artist(Line2D(ends, [y, y], color="black", linewidth=3, solid_capstyle="butt"))
        label = f"{length_text(length_m)}, north is up"
        self.figure.text(sum(ends) / 2, y - 18 / self.height, label, size=9, ha="center", va="center")


def unseen_background(probability: Float32Array) -> UInt8Array:
    """Draw a hatched grey picture that shows through where the probability is not a number."""
    blank = np.full((*probability.shape, 3), 255, dtype=np.uint8)
    return maps.hatch(blank, np.isnan(probability))
