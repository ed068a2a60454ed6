"""Pictures of few colours: a third of the size, with the colours that have a meaning kept exactly."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.common.display.colours import RGB
from stages.common.types import AnyArray, UInt8Array

MAX_COLOURS = 256
SAMPLE_PX = 250_000
NEAREST_CHUNK = 16_384
"""Colours compared with the palette at a time: they take 16 MB."""


def few_colours(picture: UInt8Array, *, own: Sequence[RGB]) -> bytes:
    """Encode an (H, W, 3) picture as PNG with a palette that contains the colours `own`."""
    stream = io.BytesIO()
    (image,) = indexed_images([picture], joint_palette([picture], own=own))
    image.save(stream, format="PNG", optimize=True)
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


def nearest_colours(pictures: Sequence[UInt8Array], palette: UInt8Array) -> list[UInt8Array]:
    """Return the indices (H, W) of the palette colours nearest to each pixel; a colour of the palette is kept exactly.

    Pillow's own search is approximate: it replaces white paper by the almost white of snow.
    """
    all_packed = [_packed(picture) for picture in pictures]
    is_there = np.zeros(1 << 24, dtype=bool)
    for packed in all_packed:
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
    return [closest[packed] for packed in all_packed]


def indexed_images(pictures: Sequence[UInt8Array], palette: UInt8Array) -> list[Any]:
    """Convert (H, W, 3) pictures to Pillow images with this palette."""
    from PIL import Image

    images = [Image.fromarray(indices).convert("P") for indices in nearest_colours(pictures, palette)]
    for image in images:
        image.putpalette(palette.tobytes())
    return images


def _packed(picture: UInt8Array) -> AnyArray:
    """Return each pixel's colour as one number, (H, W)."""
    red, green, blue = (picture[..., channel].astype(np.uint32) for channel in range(3))
    return red << 16 | green << 8 | blue
