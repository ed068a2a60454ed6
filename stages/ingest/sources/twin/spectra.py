"""Reflectance of surfaces in B02, B03, B04, B08, B11 and B12: means, and how colours vary within a surface.

Snow, ice, rock and water: 11,729 manually classified Sentinel-2 surface-reflectance spectra of four glaciers in North
America (training data of github.com/RaineyAbe/glacier-snow-cover-mapping, MIT). Means are geometric. `COLOUR` holds the
three main directions L of the covariance of log reflectance (covariance = L L^T), from which the part common to all
bands is taken out: brightness comes from terrain and light. Rock is divided by the slope of its spectrum,
log(B11 / B02), into thirds; vegetated points (NDVI >= 0.2) are left out.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from stages.common.types import Float64Array
from stages.ingest.sources.twin.fields import round_field

BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")

Surface = Literal["snow", "firn", "ice", "rock 1", "rock 2", "rock 3", "water", "vegetation"]

MEAN: dict[Surface, tuple[float, ...]] = {
    "snow": (0.739, 0.768, 0.774, 0.669, 0.024, 0.022),
    "firn": (0.550, 0.570, 0.565, 0.480, 0.030, 0.026),
    "ice": (0.341, 0.352, 0.335, 0.247, 0.016, 0.015),
    "rock 1": (0.132, 0.145, 0.143, 0.143, 0.151, 0.145),
    "rock 2": (0.130, 0.153, 0.158, 0.171, 0.223, 0.220),
    "rock 3": (0.100, 0.134, 0.159, 0.191, 0.286, 0.260),
    "water": (0.107, 0.135, 0.074, 0.022, 0.015, 0.013),
    "vegetation": (0.050, 0.080, 0.095, 0.210, 0.260, 0.170),
}
"""Firn: between ice and snow (Zeng et al. 1984, Ann. Glaciol. 5; Dozier 1989, Remote Sens. Environ. 28).
Vegetation: alpine meadow turned yellow in October (USGS spectral library v7, dry grass with a third of green)."""

COLOUR: dict[Surface, tuple[tuple[float, ...], ...]] = {
    "snow": (
        (-0.344, -0.321, -0.293, -0.241, 0.592, 0.607),
        (-0.040, -0.016, 0.010, 0.052, -0.026, 0.019),
        (0.014, 0.007, 0.000, -0.023, -0.040, 0.042),
    ),
    "ice": (
        (-0.305, -0.284, -0.275, -0.248, 0.555, 0.556),
        (-0.051, -0.039, -0.005, 0.101, -0.005, 0.000),
        (0.002, 0.000, 0.000, -0.002, -0.050, 0.050),
    ),
    "rock 1": (
        (-0.122, -0.127, -0.124, -0.097, 0.221, 0.248),
        (-0.092, -0.035, 0.037, 0.096, 0.006, -0.012),
        (0.010, -0.004, -0.016, 0.008, 0.034, -0.032),
    ),
    "rock 2": (
        (-0.051, -0.018, 0.036, 0.086, 0.002, -0.056),
        (-0.030, -0.040, -0.030, 0.006, 0.061, 0.033),
        (-0.031, 0.002, 0.031, -0.016, -0.010, 0.023),
    ),
    "rock 3": (
        (0.152, 0.052, 0.013, -0.020, -0.103, -0.094),
        (-0.070, 0.015, 0.078, 0.085, -0.045, -0.063),
        (0.020, -0.035, -0.027, 0.044, 0.012, -0.013),
    ),
    "water": (
        (-0.072, -0.241, -0.582, -0.225, 0.589, 0.531),
        (-0.317, -0.225, 0.092, 0.350, 0.047, 0.052),
        (-0.068, -0.013, 0.124, -0.113, 0.027, 0.043),
    ),
}
"""Surfaces without measured variation: firn varies as snow, vegetation as rock 2."""

SAME_COLOUR: dict[Surface, Surface] = {"firn": "snow", "vegetation": "rock 2"}


def reflectance(surface: Surface, band: str, noise: tuple[Float64Array, ...], *, spread: float = 1.0) -> Float64Array:
    """Return the reflectance of a surface in one band, (H, W), without light and shade.

    Parameters
    ----------
    surface, band
        Keys of `MEAN` and `BANDS`.
    noise
        Three (H, W) fields of standard deviation 1, one per direction of `COLOUR`.
    spread
        Factor on the variation; 1 is as measured.
    """
    position = BANDS.index(band)
    directions = COLOUR[SAME_COLOUR.get(surface, surface)]
    exponent = sum(spread * line[position] * field for line, field in zip(directions, noise, strict=True))
    return round_field(MEAN[surface][position] * np.exp(exponent))
