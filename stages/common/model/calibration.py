"""How far a probability is from what is observed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stages.common.types import AnyArray, BoolArray

BINS = 10


class Reliability(Protocol):
    """Mean probability and observed fraction of the pixels of one bin."""

    @property
    def probability(self) -> float:
        """Mean probability, 0-1."""

    @property
    def observed_fraction(self) -> float:
        """Fraction of the pixels that are glacier, 0-1."""

    @property
    def pixels(self) -> int:
        """Number of pixels."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The pixels of one bin, with all digits."""

    probability: float
    observed_fraction: float
    pixels: int


def reliability_bins(probability: AnyArray, glacier: BoolArray) -> list[ReliabilityBin]:
    """Return ten equal bins of probability, of 1-D arrays; empty bins are left out."""
    index = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [
        ReliabilityBin(
            probability=float(probability[members].mean(dtype=np.float64)),
            observed_fraction=float(glacier[members].mean()),
            pixels=int(members.sum()),
        )
        for members in (index == number for number in range(BINS))
        if members.any()
    ]


def expected_calibration_error(bins: Iterable[Reliability]) -> float:
    """Return the mean distance between probability and observed fraction, weighed by pixels (Naeini et al. 2015)."""
    bins = list(bins)
    pixels = sum(part.pixels for part in bins)
    return sum(part.pixels * abs(part.probability - part.observed_fraction) for part in bins) / max(pixels, 1)
