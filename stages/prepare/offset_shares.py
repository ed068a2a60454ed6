"""Judge an offset by how many pixels lie below it, just above it, and below zero.

The bounds are calibrated on 7643 measured spectra of snow and ice, on four seasons of a real Himalayan scene, and on a
Landsat scene at the top of the atmosphere (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.common.tables.kinds import DN_OFFSET
from stages.common.types import Float32Array

OFFSET = -DN_OFFSET
"""0.1: what is left in or subtracted twice, but for Landsat's surface reflectance."""

CLEARLY_NEGATIVE = -0.03
"""Real reflectance falls below it in 0.05 % of a real scene's pixels, whatever the band from B02 to B12."""

SNOW_WIDTH = 0.1
LEFT_IN_BELOW_MAX = 0.05
"""Share of snow below 0.1 in SWIR: 0 with the offset left in; 0.88-0.97 of spectra, 0.30-0.93 of scenes as they are."""

LEFT_IN_JUST_ABOVE_MIN = 0.2
"""Share between 0.1 and 0.2: 0.30-0.97 with the offset left in. Where it is smaller, the "snow" is ice cloud."""

TWICE_NEGATIVE_MIN = 0.05
"""Share clearly negative: 0.05-0.97 with the offset subtracted twice; 0 as it is, cast shadow included."""

FLOOR_WIDTH = 0.05
FLOOR_RATIO_MIN = 10.0
FLOOR_SHARE_MIN = 0.002
"""The test of dark pixels: 0.2 % within 0.05 above 0.1, and ten times as many as below it, in each band."""

NEGATIVE_MIN = 0.02
"""Share clearly negative in a visible band: 0.03-0.16 with the offset subtracted twice, 0.0005 as it is."""

NEGATIVE_IN_EVERY_BAND_MIN = 0.005
"""The same share in red and infrared alike: 0.006-0.05 with the offset subtracted twice."""

BELOW_MIN = 0.05
"""Share below 0.1 in the band that has most of it (0.15-0.30 of the scene as it is): the offset is plausible."""

Verdict = Literal["proven", "plausible", "not proven", "left in", "subtracted twice"]


@dataclass(frozen=True)
class Shares:
    """Shares of a band's pixels, 0-1, by their reflectance."""

    below: float
    """Share of pixels below the offset."""
    just_above: float
    """Share of pixels within some width above the offset."""
    negative: float
    """Share of pixels below 0."""
    clearly_negative: float
    """Share of pixels below `CLEARLY_NEGATIVE`."""
    pixels: int = 0
    """Number of these pixels; the verdicts do not look at it."""


def shares_of(parts: Iterable[Float32Array], *, width: float, offset: float = OFFSET) -> Shares:
    """Return the shares of reflectance values below `offset`, within `width` above it, and below 0; 0 of none.

    `parts` are (N,) each.
    """
    pixels, counts = 0, np.zeros(4, dtype=np.int64)
    for values in parts:
        just_above = (values >= offset) & (values < offset + width)
        masks = values < offset, just_above, values < 0, values < CLEARLY_NEGATIVE
        pixels += values.size
        counts += [int(mask.sum()) for mask in masks]
    below, just_above, negative, clearly_negative = (counts / max(pixels, 1)).tolist()
    return Shares(below, just_above, negative, clearly_negative, pixels)


def judge_snow(bands: Sequence[Shares]) -> Verdict:
    """Return the verdict from the SWIR reflectance of snow and ice; one clear band is enough."""
    if max(band.clearly_negative for band in bands) >= TWICE_NEGATIVE_MIN:
        return "subtracted twice"
    if max(band.below for band in bands) >= LEFT_IN_BELOW_MAX:
        return "proven"
    if max(band.just_above for band in bands) >= LEFT_IN_JUST_ABOVE_MIN:
        return "left in"
    return "not proven"


def judge_floor(bands: Sequence[Shares], *, in_every_band: bool = False) -> Verdict:
    """Return the verdict from the darkest pixels: the weaker test, so all bands must agree on a floor.

    `in_every_band`: all bands must be negative before the offset counts as subtracted twice; else one is enough.
    """
    negative = [band.clearly_negative for band in bands]
    if min(negative) >= NEGATIVE_IN_EVERY_BAND_MIN if in_every_band else max(negative) >= NEGATIVE_MIN:
        return "subtracted twice"
    if all(band.just_above >= FLOOR_SHARE_MIN and band.just_above >= FLOOR_RATIO_MIN * band.below for band in bands):
        return "left in"
    return "plausible" if max(band.below for band in bands) >= BELOW_MIN else "not proven"
