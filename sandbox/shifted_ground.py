"""Made-up rock seen from places that lie fractions of a pixel apart, and patches that hide it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from stages.common.types import BoolArray, Float64Array

SIZE_PX, FINE = 192, 10
"""Side of an image, and steps into which its pixels are divided."""

EDGE = 2 * FINE
"""Steps by which the ground is wider than an image, on each side."""


def fractal(side: int, power: float, seed: int) -> Float64Array:
    """Return a (side, side) texture of standard deviation 1 whose spectrum falls with this power of the frequency."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(side, side)))
    texture = np.fft.irfft2(noise * frequency**-power, s=(side, side))
    return np.asarray((texture - texture.mean()) / texture.std())


def fine_rock(seed: int) -> Float64Array:
    """Return reflectance of rock at a tenth of a pixel, wider than an image."""
    return 0.2 + 0.04 * fractal(SIZE_PX * FINE + 2 * EDGE, 1.6, seed)


def observed_rock(ground: Float64Array, south_px: float, east_px: float) -> Float64Array:
    """Return an image of `fine_rock` displaced by tenths of a pixel, up to 2: pixels are means of what they cover."""
    row, column = EDGE - round(south_px * FINE), EDGE - round(east_px * FINE)
    part = ground[row : row + SIZE_PX * FINE, column : column + SIZE_PX * FINE]
    return np.asarray(part.reshape(SIZE_PX, FINE, SIZE_PX, FINE).mean(axis=(1, 3)))


def patches(seed: int, share: float) -> BoolArray:
    """Return (SIZE_PX, SIZE_PX) bool: a share of an image, in patches."""
    texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIZE_PX, SIZE_PX)), 12)
    return np.asarray(texture > np.quantile(texture, 1 - share))
