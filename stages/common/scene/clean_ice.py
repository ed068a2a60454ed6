"""Clean ice by the band ratio of red and short-wave infrared."""

from __future__ import annotations

import numpy as np

from stages.common.types import BoolArray, Float32Array

RED, SWIR = "B04", "B11"

SWIR_FLOOR = 0.01
"""Absolute error of surface reflectance where there is little light (Sentinel-2 L2A: 0.005 + 5 %). Without it two dark
values in cast shadow could give any ratio: a pixel in shadow is clean only where red is well above this."""


def is_clean(red: Float32Array, swir: Float32Array, *, ratio_min: float) -> BoolArray:
    """Return where red / short-wave infrared reaches `ratio_min`: ice or snow, not rock; False where either is NaN.

    Paul et al. (2016, Remote Sens. 8, 575) for Sentinel-2; thresholds in use are 1.8 to 2.5 (Paul et al. 2013). Ice
    and snow absorb in the short-wave infrared, rock and debris do not. Snow on debris, and water, pass for clean ice.

    Parameters
    ----------
    red, swir
        Reflectance, 0-1, of equal shape; slightly negative values are legal.
    """
    return np.asarray(red >= ratio_min * np.maximum(swir, SWIR_FLOOR))
