"""Pictures of few colours: a third of the size, and those colours that mean something kept exactly."""

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
"""Colours compared with the palette at a time: 16 MB."""


def few_colours(png: bytes, *, own: Sequence[RGB]) -> bytes:
    """The PNG with a palette."""
    from PIL import Image

    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    stream = io.BytesIO()
    indexed(picture, joint_palette([picture], own=own)).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def joint_palette(frames: Sequence[UInt8Array], *, own: Sequence[RGB], colours: int = MAX_COLOURS) -> UInt8Array:
    """(colours, 3) palette of our own colours and the commonest of all frames: no flicker, the same bytes each time."""
    from PIL import Image

    pixels = np.concatenate([one.reshape(-1, 3) for one in frames])
    pixels = pixels[:: max(1, len(pixels) // SAMPLE_PX)]
    sample = Image.fromarray(np.ascontiguousarray(pixels[None]))
    common = sample.quantize(colors=colours - len(own), method=Image.Quantize.MEDIANCUT).getpalette()
    palette = np.zeros((colours, 3), dtype=np.uint8)
    found = np.array([*own, *np.reshape(common, (-1, 3))], dtype=np.uint8)[:colours]
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


def indexed(picture: UInt8Array, palette: UInt8Array) -> Any:
    """An (H, W, 3) picture as Pillow's image with that palette."""
    from PIL import Image

    image = Image.fromarray(nearest(picture, palette)).convert("P")
    image.putpalette(palette.tobytes())
    return image
