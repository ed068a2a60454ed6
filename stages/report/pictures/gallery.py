"""prediction_gallery.png: scene, outlines, probability and difference to the prior outlines, year by year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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
from stages.common.display.numbers import length_text, round_length_m
from stages.common.geo.raster import read_grid
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import AnyArray, BoolArray, Float32Array, UInt8Array
from stages.report.findings import Findings, YearFiles
from stages.report.pictures import scenes
from stages.report.pictures.figures import DPI, new_figure, plain_style, png
from stages.report.pictures.palette import few_colours
from stages.report.pictures.scenes import Stretch, View

MAX_YEARS = 6
PANEL_PX, SINGLE_PANEL_PX = 400, 720
"""Longest edge of a panel: four in a row, or two by two where there is one year."""
GAP_PX, MARGIN_PX, PANEL_TITLE_PX, HEAD_PX, FOOT_PX, BANNER_PX = 14, 20, 26, 56, 104, 40

PROBABILITY_COLOURS = "cividis"
"""Even in brightness, and the same to people who do not see red or green."""
RAMP_STEPS = 48

OWN_COLOURS = (
    BLACK, WHITE, INK, VERMILLION, REFERENCE, THIS_YEAR, ICE, LOST, GAINED, GROUND, GREY_LIGHT, GREY_DARK,
)  # fmt: skip
"""Colours that mean something: in the palette as they are."""

TITLES = ("scene", "outlines", "glacier probability", "mapped against prior outline")


def draw_gallery(findings: Findings) -> bytes:
    """The gallery as PNG. Panels are set pixel by pixel, so that outlines stay one pixel sharp."""
    years = chosen_years(findings.years)
    columns, edge = (4, PANEL_PX) if len(years) > 1 else (2, SINGLE_PANEL_PX)
    view = scenes.fit_view(read_grid(findings.glacier_id), max_width=edge, max_height=edge)
    stretch = scenes.stretch_of(findings.files.values(), view)
    prior = scenes.read_view(findings.glacier_id, view)[0] > 0
    sheet = Sheet(view, columns, rows=4 * len(years) // columns, simulated=findings.site.simulated)
    with plain_style():
        sheet.begin()
        for index, year in enumerate(years):
            panels: tuple[AnyArray, ...] = year_panels(findings.files[year], view, prior, stretch)
            for column, panel in enumerate(panels):
                mark = ", simulated" if findings.site.simulated else ""  # stays where a panel is cut out
                sheet.place(4 * index + column, panel, f"{year}: {TITLES[column]}{mark}")
        sheet.finish(findings)
        return few_colours(png(sheet.figure), own=[*OWN_COLOURS, *probability_ramp()])


def probability_ramp() -> list[RGB]:
    """Colours of the probability from 0 to 1, in steps: in the palette, so that the bar stays even."""
    from matplotlib import colormaps

    ramp = colormaps[PROBABILITY_COLOURS](np.linspace(0, 1, RAMP_STEPS), bytes=True)[:, :3].tolist()
    return [(red, green, blue) for red, green, blue in ramp]


def chosen_years(years: Sequence[int]) -> list[int]:
    """At most six years, the first and the last among them, the others evenly between."""
    count = min(MAX_YEARS, len(years))
    return [years[index] for index in np.round(np.linspace(0, len(years) - 1, count)).astype(int).tolist()]


def year_panels(
    files: YearFiles, view: View, prior: BoolArray, stretch: Stretch | None
) -> tuple[UInt8Array, UInt8Array, Float32Array, UInt8Array]:
    """The four panels of a year, (h, w, 3) pictures but for the third, which is probability (h, w)."""
    scene = scenes.natural_colour(scenes.read_colour(files, view), stretch)
    mask = scenes.read_mask(files, view)
    lines = both_outlines(scenes.hatch(scenes.dimmed(scene), mask == MASK_NODATA), prior, mask)
    return scene, lines, scenes.read_probability(files, view), difference(mask, prior)


def both_outlines(picture: UInt8Array, prior: BoolArray, mask: AnyArray) -> UInt8Array:
    """Copy of an (h, w, 3) picture with the prior outline, the mapped one, and in a third colour where they meet."""
    before, now = scenes.thicken(scenes.outline(prior)), scenes.thicken(scenes.outline(mask))
    meet = before & now
    for where, colour in ((before, REFERENCE), (now, THIS_YEAR), (meet, BOTH)):
        picture = scenes.paint(picture, where, colour)
    return picture


def difference(mask: AnyArray, prior: BoolArray) -> UInt8Array:
    """(h, w, 3) picture: ice in both, in the prior outline alone (lost), mapped alone (gained), and not seen."""
    mapped, unseen = mask == 1, mask == MASK_NODATA
    picture = np.full((*mask.shape, 3), GROUND, dtype=np.uint8)
    for where, colour in ((mapped & prior, ICE), (prior & ~mapped, LOST), (mapped & ~prior, GAINED)):
        picture = scenes.paint(picture, where, colour)
    picture = scenes.hatch(picture, unseen)
    return scenes.paint(picture, scenes.outline(prior), BLACK)


class Sheet:
    """A figure whose panels have places in pixels."""

    def __init__(self, view: View, columns: int, *, rows: int, simulated: bool) -> None:
        self.view, self.columns, self.rows, self.simulated = view, columns, rows, simulated
        self.top = HEAD_PX + (BANNER_PX if simulated else 0)
        self.width = 2 * MARGIN_PX + columns * view.width + (columns - 1) * GAP_PX
        self.height = self.top + rows * (PANEL_TITLE_PX + view.height + GAP_PX) + FOOT_PX
        self.figure: Any = None
        self.probability: Any = None

    def begin(self) -> None:
        """Make the figure."""
        self.figure = new_figure(self.width / DPI, self.height / DPI, simulated=self.simulated)

    def box(self, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
        """Pixels from the upper left corner to the figure's own fractions from the lower left."""
        return left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height

    def place(self, index: int, panel: AnyArray, title: str) -> None:
        """Put a panel at its place, counted row by row."""
        row, column = divmod(index, self.columns)
        left = MARGIN_PX + column * (self.view.width + GAP_PX)
        top = self.top + row * (PANEL_TITLE_PX + self.view.height + GAP_PX) + PANEL_TITLE_PX
        axes = self.figure.add_axes(self.box(left, top, self.view.width, self.view.height))
        axes.set_axis_off()
        axes.set_title(title, loc="left", size=9, pad=4)
        if panel.ndim == 2:
            axes.imshow(unseen_behind(panel), interpolation="nearest", aspect="auto")
            self.probability = axes.imshow(
                panel, cmap=PROBABILITY_COLOURS, vmin=0, vmax=1, interpolation="nearest", aspect="auto"
            )
        else:
            axes.imshow(panel, interpolation="nearest", aspect="auto")

    def finish(self, findings: Findings) -> None:
        """Title, legend, colour bar and scale bar."""
        text = self.figure.text
        top = 1 - (self.top - HEAD_PX + 26) / self.height
        text(
            MARGIN_PX / self.width, top, f"{findings.site.title}: mapped glaciers", size=13, weight="bold", va="center"
        )
        self._legend()
        self._colour_bar()
        self._scale_bar()

    def _legend(self) -> None:
        from matplotlib.patches import Patch

        entries = [
            ("prior outline", REFERENCE, None), ("mapped outline", THIS_YEAR, None), ("both", BOTH, None),
            ("ice in both", ICE, None), ("prior outline only", LOST, None),
            ("mapped only", GAINED, None), ("not seen", GREY_LIGHT, "////"),
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

    def _colour_bar(self) -> None:
        length = 220
        axes = self.figure.add_axes(self.box(self.width - MARGIN_PX - length, self.height - 88, length, 12))
        bar = self.figure.colorbar(self.probability, cax=axes, orientation="horizontal", ticks=[0, 0.5, 1])
        bar.ax.tick_params(labelsize=8, length=2)
        bar.set_label("glacier probability", size=9, labelpad=1)

    def _scale_bar(self) -> None:
        from matplotlib.lines import Line2D

        length_m = round_length_m(self.view.width * self.view.pixel_size_m / 3)
        length = length_m / self.view.pixel_size_m
        right = self.width - MARGIN_PX - 290
        y = 1 - (self.height - 76) / self.height
        ends = [(right - length) / self.width, right / self.width]
        self.figure.add_artist(Line2D(ends, [y, y], color="black", linewidth=3, solid_capstyle="butt"))
        label = f"{length_text(length_m)}, north is up"
        self.figure.text(sum(ends) / 2, y - 18 / self.height, label, size=9, ha="center", va="center")


def unseen_behind(probability: Float32Array) -> UInt8Array:
    """Hatched grey picture that shows through where the probability is not a number."""
    blank = np.full((*probability.shape, 3), 255, dtype=np.uint8)
    return scenes.hatch(blank, np.isnan(probability))
