"""Marks that every map has: the banner of a simulated site, a scale bar, and north."""

from __future__ import annotations

from stages.common.display import colours, phrases
from stages.common.display.numbers import length_text, round_length_m
from stages.common.drawing.maps import MapSize
from stages.report.pictures.canvas import Canvas

PAD_PX, BANNER_PX = 14, 28


def draw_banner(canvas: Canvas) -> None:
    """Draw the banner of a simulated site across the top."""
    middle = (canvas.width / 2, BANNER_PX / 2)
    canvas.fill_box((0, 0, canvas.width, BANNER_PX), colours.VERMILLION)
    canvas.draw_text(middle, phrases.SIMULATED, size=15, colour=colours.WHITE, anchor="mm", bold=True)


def draw_scale_bar(canvas: Canvas, map_size: MapSize, *, top: int, note: str = "") -> None:
    """Draw a scale bar on the left, a note in the middle, and north on the right."""
    length_m, length_px = scale_bar(map_size)
    canvas.fill_box((PAD_PX, top - 3, PAD_PX + length_px, top + 3), colours.INK)
    canvas.draw_text((PAD_PX + length_px + 10, top), length_text(length_m), size=13, anchor="lm")
    canvas.draw_text((canvas.width / 2, top), note, size=13, colour=colours.MUTED, anchor="lm")
    canvas.draw_north((canvas.width - PAD_PX - 8, top))


def scale_bar(map_size: MapSize) -> tuple[float, float]:
    """Return a round length in metres, at most a third of the map's width, and the same length in pixels."""
    length_m = round_length_m(map_size.width * map_size.pixel_size_m / 3)
    return length_m, length_m / map_size.pixel_size_m
