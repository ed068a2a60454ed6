"""glacier_retreat_timelapse.gif: one frame a year, all on one palette."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.common.raster import read_grid
from stages.common.types import UInt8Array
from stages.report import scenes, style
from stages.report.canvas import Canvas
from stages.report.findings import Findings
from stages.report.rounding import area_text, decimals_of, length_text, round_length_m, unseen_text
from stages.report.scenes import View

MIN_WIDTH_PX, MAX_WIDTH_PX = 520, 860
"""Bounds of a frame's width; the lower one is what the text needs."""
MAX_HEIGHT_PX = 860
TOTAL_PX = 5_000_000
"""Pixels of all frames together: keeps the file at a few megabytes."""

PAD_PX, HEAD_PX, FOOT_PX, BANNER_PX = 14, 66, 76, 28
COLOURS = 256
PALETTE_SAMPLE_PX = 250_000
NEAREST_CHUNK = 16_384
"""Colours compared with the palette at a time: 16 MB."""

OWN_COLOURS = (
    style.BLACK, style.WHITE, style.INK, style.MUTED, style.THIS_YEAR, style.REFERENCE, style.VERMILLION,
    style.GREY_DARK, style.GREY_LIGHT,
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
        before = [(first, style.REFERENCE)] if len(findings.years) > 1 else []
        picture = scenes.draw_outlines(picture, [*before, (this, style.THIS_YEAR)])
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
        canvas.bar((0, 0, width, banner), style.VERMILLION)
        canvas.text((width / 2, banner / 2), style.SIMULATED, size=15, colour=style.WHITE, anchor="mm", bold=True)
    _headline(canvas, findings, year, top=banner)
    canvas.paste(picture, ((width - view.width) // 2, banner + HEAD_PX))
    _legend(canvas, findings, year, view, top=banner + HEAD_PX + view.height)
    return canvas.pixels()


def gif(frames: Sequence[UInt8Array], *, seconds: float) -> bytes:
    """Frames (H, W, 3) as an endless GIF89a with one palette, each shown for `seconds`."""
    palette = joint_palette(frames)
    images = [_indexed(nearest(one, palette), palette) for one in frames]
    stream = io.BytesIO()
    images[0].save(
        stream, format="GIF", save_all=True, append_images=images[1:], duration=round(1000 * seconds), loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip
    return stream.getvalue()


def joint_palette(frames: Sequence[UInt8Array]) -> UInt8Array:
    """(256, 3) palette of our own colours and the commonest of all frames: no flicker, the same bytes each time."""
    from PIL import Image

    pixels = np.concatenate([one.reshape(-1, 3) for one in frames])
    pixels = pixels[:: max(1, len(pixels) // PALETTE_SAMPLE_PX)]
    sample = Image.fromarray(np.ascontiguousarray(pixels[None]))
    common = sample.quantize(colors=COLOURS - len(OWN_COLOURS), method=Image.Quantize.MEDIANCUT).getpalette()
    palette = np.zeros((COLOURS, 3), dtype=np.uint8)
    found = np.array([*OWN_COLOURS, *np.reshape(common, (-1, 3))], dtype=np.uint8)[:COLOURS]
    palette[: len(found)] = found
    return palette


def nearest(picture: UInt8Array, palette: UInt8Array) -> UInt8Array:
    """Index (H, W) of the palette colour nearest to each pixel; a colour of the palette is kept exactly.

    Pillow's own search is approximate, and turns white paper into the nearly white of snow.
    """
    packed = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    colours, place = np.unique(packed, return_inverse=True)
    own = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.float32)
    entries = palette.astype(np.float32)
    closest = np.empty(len(own), dtype=np.uint8)
    for start in range(0, len(own), NEAREST_CHUNK):
        part = slice(start, start + NEAREST_CHUNK)
        # Squared distance less the pixel's own square, the same for all entries; whole numbers, exact in float32.
        closest[part] = ((entries**2).sum(axis=1) - 2 * own[part] @ entries.T).argmin(axis=1)
    return np.asarray(closest[place].reshape(packed.shape), dtype=np.uint8)


def _indexed(indices: UInt8Array, palette: UInt8Array) -> Any:
    from PIL import Image

    image = Image.fromarray(indices).convert("P")
    image.putpalette(palette.tobytes())
    return image


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
    entries = [(f"mapped outline {year}", style.THIS_YEAR)]
    if len(findings.years) > 1:
        entries.append((f"mapped outline {first} (first year)", style.REFERENCE))
    for label, colour in entries:
        canvas.bar((x, top + 14, x + 26, top + 22), style.BLACK)
        canvas.bar((x + 1, top + 16, x + 25, top + 20), colour)
        x = canvas.text((x + 32, top + 18), label, size=13, anchor="lm") + 20
    canvas.hatched((round(x), top + 11, round(x) + 22, top + 25))
    canvas.text((x + 28, top + 18), "not seen", size=13, anchor="lm")
    _scale_bar(canvas, view, top=top + 52)


def _scale_bar(canvas: Canvas, view: View, *, top: int) -> None:
    length_m, length = scale_bar(view)
    canvas.bar((PAD_PX, top - 3, PAD_PX + length, top + 3), style.INK)
    canvas.text((PAD_PX + length + 10, top), length_text(length_m), size=13, anchor="lm")
    canvas.text((canvas.width / 2, top), style.INTERVAL, size=13, colour=style.MUTED, anchor="lm")
    canvas.north((canvas.width - PAD_PX - 8, top))


def scale_bar(view: View) -> tuple[float, float]:
    """Round length in metres, at most a third of the view, and its length in pixels."""
    length_m = round_length_m(view.width * view.pixel_size_m / 3)
    return length_m, length_m / view.pixel_size_m
