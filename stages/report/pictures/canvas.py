"""A picture that takes text, boxes and other pictures pixel by pixel, in a font that comes with matplotlib."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.display.colours import INK, PAPER, RGB
from stages.common.drawing import maps
from stages.common.types import UInt8Array

MIN_FONT_PX = 9


class Canvas:
    """White picture of `width` x `height` pixels."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def pixels(self) -> UInt8Array:
        """Return the picture, (H, W, 3)."""
        return np.asarray(self._image)

    def png(self) -> bytes:
        """Encode the picture as PNG."""
        stream = io.BytesIO()
        self._image.save(stream, format="PNG", optimize=True)
        return stream.getvalue()

    def paste(self, picture: UInt8Array, corner: tuple[int, int]) -> None:
        """Put a picture (h, w, 3) with its upper left at `corner` (x, y)."""
        from PIL import Image

        self._image.paste(Image.fromarray(np.ascontiguousarray(picture)), corner)

    def fill_box(self, box: tuple[float, float, float, float], colour: RGB) -> None:
        """Fill a box: left, top, right, bottom (the last two not included)."""
        left, top, right, bottom = map(round, box)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def hatch_box(self, box: tuple[int, int, int, int]) -> None:
        """Fill a box like unseen pixels."""
        left, top, right, bottom = box
        blank = np.zeros((bottom - top, right - left, 3), dtype=np.uint8)
        self.paste(maps.hatch(blank, np.ones(blank.shape[:2], dtype=bool)), (left, top))

    def draw_north(self, middle: tuple[float, float]) -> None:
        """Draw an arrow that points up, with an N beside it."""
        x, y = middle
        self._draw.polygon([(x, y - 13), (x + 7, y + 10), (x, y + 5), (x - 7, y + 10)], fill=INK)
        self.draw_text((x - 14, y), "N", size=15, anchor="rm", bold=True)

    def text_width(self, text: str, *, size: int, bold: bool = False) -> float:
        """Measure the width of `text` in pixels."""
        return float(load_font(size, bold=bold).getlength(text))

    def draw_text(
        self, at: tuple[float, float], text: str, *, size: int, anchor: str,
        colour: RGB = INK, bold: bool = False, room: float | None = None,
    ) -> float:  # fmt: skip
        """Write one line, in a smaller font where it is wider than `room` pixels; return where it ends (x)."""
        while room is not None and size > MIN_FONT_PX and self.text_width(text, size=size, bold=bold) > room:
            size -= 1
        self._draw.text(at, text, fill=colour, font=load_font(size, bold=bold), anchor=anchor)
        return at[0] + self.text_width(text, size=size, bold=bold)


@cache
def load_font(size: int, *, bold: bool = False) -> Any:
    """Load DejaVu Sans as it comes with matplotlib, so that no font of the machine is used."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", name)
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
