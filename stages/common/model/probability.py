"""Probabilities as they are stored: uint16, 0-10000, 65535 where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.geo.raster import read_band
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.types import BoolArray, Float32Array, UInt16Array


def encode(probability: Float32Array, known: BoolArray) -> UInt16Array:
    """(H, W) float32 0-1 to uint16 0-10000; 65535 where it is not known."""
    scaled = np.rint(probability / np.float32(PROBABILITY_SCALE)).astype(np.uint16)
    return np.where(known, scaled, np.uint16(PROBABILITY_NODATA))


def read_probability(path: Path) -> tuple[Float32Array, BoolArray]:
    """(H, W) float32 0-1, 0 where there is none; and (H, W) bool: where there is one."""
    stored = read_band(path)
    known = stored != PROBABILITY_NODATA
    return np.where(known, stored, 0).astype(np.float32) * np.float32(PROBABILITY_SCALE), known
