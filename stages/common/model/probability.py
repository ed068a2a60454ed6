"""Probabilities as they are stored (uint16, 0-10000; 65535: none), and the one rule by which a pixel is glacier."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from stages.common.geo.raster import read_band
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.types import BoolArray, Float32Array, UInt16Array

DECIMALS = 6
"""Decimals of a level that a threshold is rounded to: 0.8 / 1e-4 is level 8000 in spite of rounding errors."""


def stored_levels(probability: Float32Array) -> UInt16Array:
    """Return probabilities 0-1, of any shape, as the levels 0-10000 that they are stored as."""
    return np.asarray(np.rint(probability / np.float32(PROBABILITY_SCALE)), dtype=np.uint16)


def threshold_level(threshold: float) -> int:
    """Return the lowest stored level that reaches a threshold in 0-1: 8000 for 0.8, 3334 for 0.33333."""
    return math.ceil(round(threshold / PROBABILITY_SCALE, DECIMALS))


def reaches(probability: Float32Array, threshold: float) -> BoolArray:
    """Return where a probability, as it is stored, reaches the threshold; any shape.

    Every map of glacier is made by this rule, so that a mask always agrees with the stored probability.
    """
    return np.asarray(stored_levels(probability) >= threshold_level(threshold))


def encode_probability(probability: Float32Array, observed: BoolArray) -> UInt16Array:
    """Return (H, W) float32 0-1 as uint16 0-10000, with 65535 where nothing was observed."""
    return np.where(observed, stored_levels(probability), np.uint16(PROBABILITY_NODATA))


def read_probability(path: Path) -> tuple[Float32Array, BoolArray]:
    """Return a stored map as (H, W) float32 0-1, 0 where it has no value, and (H, W) bool: where it has one."""
    stored = read_band(path)
    observed = stored != PROBABILITY_NODATA
    return np.where(observed, stored, 0).astype(np.float32) * np.float32(PROBABILITY_SCALE), observed
