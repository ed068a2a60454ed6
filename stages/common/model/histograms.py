"""Histograms of raw pixels, and the distance of two distributions."""

from __future__ import annotations

import numpy as np

from stages.common.tables.drift import BandReference
from stages.common.types import AnyArray, IntArray

LAYOUT = {"uint8": (1, 256), "uint16": (50, 320)}
"""Width of a bin in stored numbers, and number of bins, by dtype: one bin per 8-bit level; bins of 0.005 of reflectance
up to 1.5, the last one with all that is brighter, too."""

GROUPS = 10
"""Number of groups, tenths of the training pixels: the usual choice (Siddiqi 2006, Credit Risk Scorecards)."""

SHARE_MIN = 1e-4
"""Least share of a group: the logarithm of 0 has no value."""


def band_counts(raw: AnyArray) -> IntArray:
    """Return counts (C, bins) of raw pixels (N, C), uint8 or uint16."""
    step, bins = LAYOUT[raw.dtype.name]
    return np.stack([np.bincount(np.minimum(band // step, bins - 1), minlength=bins) for band in raw.T])


def level_counts(raw: AnyArray) -> IntArray:
    """Return how often each stored number occurs, (C, all numbers of the dtype), in raw pixels (N, C)."""
    return np.stack([np.bincount(band, minlength=np.iinfo(raw.dtype).max + 1) for band in raw.T])


def grouped(levels: IntArray, dtype: str) -> IntArray:
    """Return the `band_counts` (C, bins) of `level_counts`."""
    step, bins = LAYOUT[dtype]
    starts = np.arange(bins) * step  # what is brighter than the last one starts is in it, too
    return np.asarray(np.add.reduceat(levels, starts, axis=1))


def band_reference(counts: IntArray, *, mean: float, std: float) -> BandReference:
    """Return groups of about a tenth of the counts (bins,) each; fewer where a single bin holds more than that."""
    cumulated = np.cumsum(counts) / counts.sum()
    starts = np.unique(np.searchsorted(cumulated, np.arange(1, GROUPS) / GROUPS) + 1)
    starts = starts[starts < len(counts)]
    shares = [round(float(share), 6) for share in _shares(counts, starts)]
    return BandReference(starts=starts.tolist(), shares=shares, mean=mean, std=std)


def stability_index(counts: IntArray, expected: BandReference) -> float:
    """Return the population stability index of counts (bins,): sum over groups of (a - e) ln(a / e).

    a and e are the actual and the expected share of a group. The index is 0 where both are distributed alike, and
    symmetric in the two. Rule of thumb: below 0.1 little has shifted, above 0.25 much (Siddiqi 2006).
    """
    actual = np.maximum(_shares(counts, np.asarray(expected.starts, dtype=np.int64)), SHARE_MIN)
    shares = np.maximum(expected.shares, SHARE_MIN)
    return float(((actual - shares) * np.log(actual / shares)).sum())


def _shares(counts: IntArray, starts: IntArray) -> AnyArray:
    return np.asarray(np.add.reduceat(counts, [0, *starts]) / counts.sum())
