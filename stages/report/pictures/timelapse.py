"""glacier_retreat_timelapse.gif: one frame a year, all on one palette."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from stages.common.display import colours, phrases
from stages.common.geo.raster import read_grid
from stages.common.types import UInt8Array
from stages.report.findings import Findings
from stages.report.pictures import scenes
from stages.report.pictures.canvas import Canvas
from stages.report.pictures.map_marks import BANNER_PX, PAD_PX, draw_banner, draw_scale_bar
from stages.report.pictures.palette import indexed, joint_palette
from stages.report.pictures.scenes import View
from stages.report.rounding import area_text, decimals_of, unseen_text

MIN_WIDTH_PX, MAX_WIDTH_PX = 520, 860
"""Bounds of a frame's width; the lower one is what the text needs."""
MAX_HEIGHT_PX = 860
TOTAL_PX = 4_500_000
"""Pixels of all frames together: keeps the file at three to four megabytes."""
COLOURS = 96
"""Cannot be told from 256 by eye on a scene with outlines, and a quarter smaller."""

HEAD_PX, FOOT_PX = 66, 76
OWN_COLOURS = (
    colours.BLACK, colours.WHITE, colours.INK, colours.MUTED, colours.THIS_YEAR, colours.REFERENCE, colours.VERMILLION,
    colours.GREY_DARK, colours.GREY_LIGHT,
)  # fmt: skip
"""Colours that mean something: in the palette as they are."""


def draw_timelapse(findings: Findings) -> bytes:
    """The time-lapse as an endless GIF."""
    view = frame_view(findings)
    stretch = scenes.stretch_of(findings.files.values(), view)
    first = scenes.thicken(scenes.outline(scenes.read_mask(findings.files[findings.years[0]], view)), 2)
    frames = []
    for row in findings.areas:
        files = findings.files[row.year]
        picture = scenes.natural_colour(scenes.read_colour(files, view), stretch)
        this = scenes.thicken(scenes.outline(scenes.read_mask(files, view)))
        before = [(first, colours.REFERENCE)] if len(findings.years) > 1 else []
        picture = scenes.draw_outlines(picture, [*before, (this, colours.THIS_YEAR)])
        frames.append(frame(findings, row.year, picture, view))
    return gif(frames, seconds=findings.report.frame_seconds)


def frame_view(findings: Findings) -> View:
    """Size of the scene in a frame: within the bounds of width and height, and of all frames together."""
    grid = read_grid(findings.glacier_id)
    wide = math.sqrt(TOTAL_PX / len(findings.years) * grid.width / grid.height)
    width = round(min(MAX_WIDTH_PX, max(MIN_WIDTH_PX, wide)))
    return scenes.fit_view(grid, max_width=width, max_height=MAX_HEIGHT_PX)


def frame(findings: Findings, year: int, picture: UInt8Array, view: View) -> UInt8Array:
    """One frame, (H, W, 3): the picture between a headline and a legend."""
    banner = BANNER_PX if findings.site.simulated else 0
    width = max(MIN_WIDTH_PX, view.width)
    canvas = Canvas(width, banner + HEAD_PX + view.height + FOOT_PX)
    if banner:
        draw_banner(canvas)
    _headline(canvas, findings, year, top=banner)
    canvas.paste(picture, ((width - view.width) // 2, banner + HEAD_PX))
    _legend(canvas, findings, year, view, top=banner + HEAD_PX + view.height)
    return canvas.pixels()


def gif(frames: Sequence[UInt8Array], *, seconds: float) -> bytes:
    """Frames (H, W, 3) as an endless GIF89a with one palette, each shown for `seconds`."""
    palette = joint_palette(frames, own=OWN_COLOURS, colours=COLOURS)
    images = [indexed(one, palette) for one in frames]
    stream = io.BytesIO()
    images[0].save(
        stream, format="GIF", save_all=True, append_images=images[1:], duration=round(1000 * seconds), loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip
    return stream.getvalue()


def _headline(canvas: Canvas, findings: Findings, year: int, *, top: int) -> None:
    row = next(one for one in findings.areas if one.year == year)
    decimals = decimals_of(findings.areas)
    right = canvas.width - PAD_PX
    canvas.text((right, top + HEAD_PX / 2), str(year), size=38, anchor="rm", bold=True)
    room = canvas.width - 3 * PAD_PX - canvas.length(str(year), size=38, bold=True)
    canvas.text((PAD_PX, top + 20), findings.site.title, size=17, anchor="lm", bold=True, room=room)
    note = unseen_text(row, decimals)
    line = f"{area_text(row, decimals)} glacier" + (f", {note}" if note else "")
    canvas.text((PAD_PX, top + 45), line, size=15, anchor="lm", room=room)


def _legend(canvas: Canvas, findings: Findings, year: int, view: View, *, top: int) -> None:
    first = findings.years[0]
    x = float(PAD_PX)
    entries = [(f"mapped outline {year}", colours.THIS_YEAR)]
    if len(findings.years) > 1:
        entries.append((f"mapped outline {first} (first year)", colours.REFERENCE))
    for label, colour in entries:
        canvas.bar((x, top + 14, x + 26, top + 22), colours.BLACK)
        canvas.bar((x + 1, top + 16, x + 25, top + 20), colour)
        x = canvas.text((x + 32, top + 18), label, size=13, anchor="lm") + 20
    canvas.hatched((round(x), top + 11, round(x) + 22, top + 25))
    canvas.text((x + 28, top + 18), "not seen", size=13, anchor="lm")
    draw_scale_bar(canvas, view, top=top + 52, note=phrases.INTERVAL)
