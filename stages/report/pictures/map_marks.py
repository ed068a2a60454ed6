"""What every map carries: the mark of a simulated site, a scale bar, and north."""

from __future__ import annotations

from stages.report.pictures import style
from stages.report.pictures.canvas import Canvas
from stages.report.pictures.scenes import View
from stages.report.rounding import length_text, round_length_m

PAD_PX, BANNER_PX = 14, 28


def draw_banner(canvas: Canvas) -> None:
    """Across the top."""
    canvas.bar((0, 0, canvas.width, BANNER_PX), style.VERMILLION)
    canvas.text((canvas.width / 2, BANNER_PX / 2), style.SIMULATED, size=15, colour=style.WHITE, anchor="mm", bold=True)


def draw_scale_bar(canvas: Canvas, view: View, *, top: int, note: str = "") -> None:
    """Scale bar on the left, a note in the middle, north on the right."""
    length_m, length = scale_bar(view)
    canvas.bar((PAD_PX, top - 3, PAD_PX + length, top + 3), style.INK)
    canvas.text((PAD_PX + length + 10, top), length_text(length_m), size=13, anchor="lm")
    canvas.text((canvas.width / 2, top), note, size=13, colour=style.MUTED, anchor="lm")
    canvas.north((canvas.width - PAD_PX - 8, top))


def scale_bar(view: View) -> tuple[float, float]:
    """Round length in metres, at most a third of the view, and its length in pixels."""
    length_m = round_length_m(view.width * view.pixel_size_m / 3)
    return length_m, length_m / view.pixel_size_m
