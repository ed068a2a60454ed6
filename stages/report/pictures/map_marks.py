"""What every map carries: the mark of a simulated site, a scale bar, and north."""

from __future__ import annotations

from stages.common.display import colours, phrases
from stages.common.display.numbers import length_text, round_length_m
from stages.report.pictures.canvas import Canvas
from stages.report.pictures.scenes import View

PAD_PX, BANNER_PX = 14, 28


def draw_banner(canvas: Canvas) -> None:
    """Across the top."""
    canvas.bar((0, 0, canvas.width, BANNER_PX), colours.VERMILLION)
    canvas.text(
        (canvas.width / 2, BANNER_PX / 2), phrases.SIMULATED, size=15, colour=colours.WHITE, anchor="mm", bold=True
    )


def draw_scale_bar(canvas: Canvas, view: View, *, top: int, note: str = "") -> None:
    """Scale bar on the left, a note in the middle, north on the right."""
    length_m, length = scale_bar(view)
    canvas.bar((PAD_PX, top - 3, PAD_PX + length, top + 3), colours.INK)
    canvas.text((PAD_PX + length + 10, top), length_text(length_m), size=13, anchor="lm")
    canvas.text((canvas.width / 2, top), note, size=13, colour=colours.MUTED, anchor="lm")
    canvas.north((canvas.width - PAD_PX - 8, top))


def scale_bar(view: View) -> tuple[float, float]:
    """Round length in metres, at most a third of the view, and its length in pixels."""
    length_m = round_length_m(view.width * view.pixel_size_m / 3)
    return length_m, length_m / view.pixel_size_m
