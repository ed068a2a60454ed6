"""A picture that text, bars and other pictures are put on, pixel by pixel, with a font that travels along."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.display.colours import INK, PAPER, RGB
from stages.common.types import UInt8Array
from stages.report.pictures import scenes

MIN_FONT_PX = 9


class Canvas:
    """White picture of a given size in pixels."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def pixels(self) -> UInt8Array:
        """(H, W, 3)."""
        return np.asarray(self._image)

    def png(self) -> bytes:
        """The picture as PNG."""
        stream = io.BytesIO()
        self._image.save(stream, format="PNG", optimize=True)
        return stream.getvalue()

    def paste(self, picture: UInt8Array, corner: tuple[int, int]) -> None:
        """Put a picture (h, w, 3) with its upper left at `corner` (x, y)."""
        from PIL import Image

        self._image.paste(Image.fromarray(np.ascontiguousarray(picture)), corner)

    def bar(self, box: tuple[float, float, float, float], colour: RGB) -> None:
        """Fill left, top, right, bottom (the last two not included)."""
        left, top, right, bottom = map(round, box)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def hatched(self, box: tuple[int, int, int, int]) -> None:
        """Fill a box as what was not seen is filled."""
        left, top, right, bottom = box
        blank = np.zeros((bottom - top, right - left, 3), dtype=np.uint8)
        self.paste(scenes.hatch(blank, np.ones(blank.shape[:2], dtype=bool)), (left, top))

    def north(self, middle: tuple[float, float]) -> None:
        """An arrow up with an N beside it."""
        x, y = middle
        self._draw.polygon([(x, y - 13), (x + 7, y + 10), (x, y + 5), (x - 7, y + 10)], fill=INK)
        self.text((x - 14, y), "N", size=15, anchor="rm", bold=True)

    def length(self, text: str, *, size: int, bold: bool = False) -> float:
        """Width of `text` in pixels."""
        return float(font(size, bold=bold).getlength(text))

    def text(
        self, at: tuple[float, float], text: str, *, size: int, anchor: str,
        colour: RGB = INK, bold: bool = False, room: float | None = None,
    ) -> float:  # fmt: skip
        """Write one line, smaller where it would not fit into `room` pixels; return where it ends (x)."""
        while room is not None and size > MIN_FONT_PX and self.length(text, size=size, bold=bold) > room:
            size -= 1
        self._draw.text(at, text, fill=colour, font=font(size, bold=bold), anchor=anchor)
        return at[0] + self.length(text, size=size, bold=bold)


@cache
def font(size: int, *, bold: bool = False) -> Any:
    """DejaVu Sans, which matplotlib brings along, so that no font of the machine is used."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", name)
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
