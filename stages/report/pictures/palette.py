"""Pictures of few colours: a third of the size, with the colours that have a meaning kept exactly."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.common.display.colours import RGB
from stages.common.types import UInt8Array

MAX_COLOURS = 256
SAMPLE_PX = 250_000
NEAREST_CHUNK = 16_384
"""Colours compared with the palette at a time: they take 16 MB."""


def few_colours(picture: UInt8Array, *, own: Sequence[RGB]) -> bytes:
    """Encode an (H, W, 3) picture as PNG with a palette that contains the colours `own`."""
    stream = io.BytesIO()
    indexed_image(picture, joint_palette([picture], own=own)).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def joint_palette(frames: Sequence[UInt8Array], *, own: Sequence[RGB], colours: int = MAX_COLOURS) -> UInt8Array:
    """Make a palette (colours, 3) of the colours `own` and the most frequent ones of all frames.

    One palette for all frames prevents flicker.
    """
    from PIL import Image

    pixels = np.concatenate([frame.reshape(-1, 3) for frame in frames])
    pixels = pixels[:: max(1, len(pixels) // SAMPLE_PX)]
    sample = Image.fromarray(np.ascontiguousarray(pixels[None]))
    frequent = sample.quantize(colors=colours - len(own), method=Image.Quantize.MEDIANCUT).getpalette()
    palette = np.zeros((colours, 3), dtype=np.uint8)
    entries = np.array([*own, *np.reshape(frequent, (-1, 3))], dtype=np.uint8)[:colours]
    palette[: len(entries)] = entries
    return palette


def nearest_colour(picture: UInt8Array, palette: UInt8Array) -> UInt8Array:
    """Return the index (H, W) of the palette colour nearest to each pixel; a colour of the palette is kept exactly.

    Pillow's own search is approximate: it replaces white paper by the almost white of snow.
    """
    packed = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    is_there = np.zeros(1 << 24, dtype=bool)
    is_there[packed] = True
    packed_colours = np.flatnonzero(is_there)
    channels = [packed_colours >> 16, packed_colours >> 8 & 255, packed_colours & 255]
    colours = np.stack(channels, axis=1).astype(np.float32)
    entries = palette.astype(np.float32)
    closest = np.empty(1 << 24, dtype=np.uint8)  # by packed colour: a search in a sorted list takes ten times as long
    for start in range(0, len(colours), NEAREST_CHUNK):
        part = slice(start, start + NEAREST_CHUNK)
        # Squared distance less the pixel's own square, the same for all entries; whole numbers, exact in float32.
        closest[packed_colours[part]] = ((entries**2).sum(axis=1) - 2 * colours[part] @ entries.T).argmin(axis=1)
    return closest[packed]


def indexed_image(picture: UInt8Array, palette: UInt8Array) -> Any:
    """Convert an (H, W, 3) picture to a Pillow image with this palette."""
    from PIL import Image

    image = Image.fromarray(nearest_colour(picture, palette)).convert("P")
    image.putpalette(palette.tobytes())
    return image
