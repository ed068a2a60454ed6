"""Random fields and filters whose bytes do not depend on the kind of CPU.

numpy's exp, log, pow and trigonometric functions differ between instruction sets in the last bit, and so do fast
matrix products. Everything here is built from sums, products, quotients and square roots, which IEEE 754 rounds
in the same way everywhere; what remains (FFT twiddle factors, Gaussian weights) is rounded before it is used.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.fft
from scipy import ndimage

from stages.common.types import AnyArray, Float64Array

DECIMALS = 6
"""Decimals of a field. Fields are of the order of 1: rounding to a millionth hides the last bits and nothing else."""


def round_field(values: Any) -> Float64Array:
    """Round `values` to `DECIMALS`, so that differences in the last bit do not spread."""
    return np.asarray(np.round(values, DECIMALS), dtype=np.float64)


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], *, pixel_m: float, longest_m: float, roughness: int = 2
) -> Float64Array:
    """Return a Gaussian random field with power-law spectrum, mean 0 and standard deviation 1.

    Parameters
    ----------
    rng
        Source of the white noise.
    shape
        (H, W).
    pixel_m
        Pixel size in metres.
    longest_m
        Wavelength in metres beyond which the spectrum is flat.
    roughness
        0, 1 or 2: the amplitude falls with wavenumber k as k**-1, k**-1.5 or k**-2; lower is rougher.

    Returns
    -------
    (H, W) float64
    """
    height, width = (scipy.fft.next_fast_len(side, real=True) for side in shape)
    spectrum = scipy.fft.rfft2(rng.standard_normal((height, width)))
    rows = np.fft.fftfreq(height, pixel_m)[:, None]
    columns = np.fft.rfftfreq(width, pixel_m)[None, :]
    k2 = rows * rows + columns * columns + 1 / (longest_m * longest_m)
    k = np.sqrt(k2)
    field = scipy.fft.irfft2(spectrum / (k, k * np.sqrt(k), k2)[roughness], s=(height, width))[: shape[0], : shape[1]]
    return round_field((field - field.mean()) / field.std())


def kernel(sigma_px: float, shift_px: float = 0.0) -> Float64Array:
    """Return the (2 n + 1,) weights of a Gaussian, moved by `shift_px` (to later pixels), whose sum is 1."""
    reach = int(np.ceil(3 * sigma_px + abs(shift_px)))
    distance = np.arange(-reach, reach + 1) + shift_px
    weights = np.round(np.exp(-0.5 * (distance / sigma_px) ** 2), 9)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def blur(field: AnyArray, sigma_px: float, shift_px: tuple[float, float] = (0.0, 0.0)) -> Float64Array:
    """Return `field` smoothed by a Gaussian and moved by (rows, columns), (H, W)."""
    for axis, shift in enumerate(shift_px):
        field = ndimage.correlate1d(field, kernel(sigma_px, shift), axis=axis, mode="nearest")
    return np.asarray(field, dtype=np.float64)


def interpolate(coarse: AnyArray, shape: tuple[int, int], *, order: Literal[0, 1, 3] = 3) -> Float64Array:
    """Return a spline through the nodes of `coarse`, (H, W); its corner nodes are the corner pixels."""
    ratio = np.array([(n - 1) / (m - 1) for n, m in zip(coarse.shape, shape, strict=True)])
    nodes: Float64Array = np.asarray(coarse, dtype=np.float64)
    field = ndimage.affine_transform(nodes, ratio, output_shape=shape, order=order, mode="nearest")
    return round_field(field)


def ramp(values: AnyArray, low: float, high: float) -> Float64Array:
    """Return 0 below `low`, 1 above `high`, and a smooth step (3 t^2 - 2 t^3) between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float64)
