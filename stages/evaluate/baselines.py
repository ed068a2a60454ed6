"""The baselines that a model has to beat: a threshold on brightness or on the snow index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.common.scene.clean_ice import SWIR
from stages.common.types import Float32Array, Float64Array

GREEN = "B03"
CANDIDATES = 256
"""Thresholds that are tried: quantiles of the index, from its least to its largest value."""


@dataclass(frozen=True)
class ThresholdRule:
    """Glacier where `index` of a pixel reaches `threshold`."""

    index: str
    threshold: float

    def __str__(self) -> str:
        return f"{self.index} >= {self.threshold:.4g}"


def snow_index(pixels: Float32Array, bands: Sequence[str]) -> tuple[str, Float32Array]:
    """Return name and values (...,) of the index that separates ice from rock best by a threshold.

    The normalised difference snow index (B03 - B11) / (B03 + B11) where both bands exist (Hall et al. 1995), else the
    mean of all bands. `pixels` is (..., C) physical values.
    """
    if GREEN in bands and SWIR in bands:
        green, swir = pixels[..., list(bands).index(GREEN)], pixels[..., list(bands).index(SWIR)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return "NDSI", np.asarray(np.where(green + swir > 0, (green - swir) / (green + swir), np.nan))
    return "brightness", np.asarray(pixels.mean(axis=-1))


def fit_threshold(index: Float32Array, ice: Float32Array, *, glacier_px: int, name: str) -> ThresholdRule:
    """Return the rule with the best IoU on the training pixels.

    Parameters
    ----------
    index, ice
        The index of N training pixels, and of those that are labelled glacier; without NaN, which is never glacier.
        Both are sorted in place.
    glacier_px
        Number of labelled pixels, those without an index included.
    """
    index.sort()
    ice.sort()
    quantiles = np.linspace(0, 1, CANDIDATES)
    candidates = np.quantile(index, quantiles, overwrite_input=True) if index.size else np.array([0.0])
    least = _reaching(np.asarray(candidates, dtype=np.float64))
    hits, positives = (len(values) - np.searchsorted(values, least) for values in (ice, index))
    unions = positives + glacier_px - hits
    scores = np.divide(hits, unions, out=np.zeros(len(unions)), where=unions > 0)
    return ThresholdRule(index=name, threshold=float(candidates[int(np.argmax(scores))]))


def _reaching(thresholds: Float64Array) -> Float32Array:
    """Return the least number of single precision that reaches each threshold."""
    near = thresholds.astype(np.float32)
    return np.where(near < thresholds, np.nextafter(near, np.float32(np.inf)), near)
