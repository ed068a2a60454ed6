"""Histograms of raw pixels, and how far one distribution is from another."""

from __future__ import annotations

import numpy as np

from stages.common.tables.drift import BandReference
from stages.common.types import AnyArray, IntArray

LAYOUT = {"uint8": (1, 256), "uint16": (50, 320)}
"""Width of a bin in stored numbers, and the number of bins: an 8-bit level each; 0.005 of reflectance up to 1.5, and
what is brighter in the last."""

GROUPS = 10
"""Tenths of the training pixels: the usual choice for the index (Siddiqi 2006, Credit Risk Scorecards)."""

SHARE_MIN = 1e-4
"""A group's share is taken to be at least this: the logarithm of an empty one has no value."""


def band_counts(raw: AnyArray) -> IntArray:
    """(C, bins) counts of (N, C) raw pixels, uint8 or uint16."""
    step, bins = LAYOUT[raw.dtype.name]
    return np.stack([np.bincount(np.minimum(band // step, bins - 1), minlength=bins) for band in raw.T])


def band_reference(counts: IntArray, *, mean: float, std: float) -> BandReference:
    """Groups of about a tenth of the counts (bins,) each; fewer where single bins hold more than that."""
    cumulated = np.cumsum(counts) / counts.sum()
    starts = np.unique(np.searchsorted(cumulated, np.arange(1, GROUPS) / GROUPS) + 1)
    starts = starts[starts < len(counts)]
    shares = [round(float(share), 6) for share in _shares(counts, starts)]
    return BandReference(starts=starts.tolist(), shares=shares, mean=mean, std=std)


def stability_index(counts: IntArray, expected: BandReference) -> float:
    """Population stability index of counts (bins,): sum over groups of (a - e) ln(a / e), a and e their shares.

    0 where both are distributed alike; symmetric in the two. Rule of thumb: below 0.1 little, above 0.25 much has
    shifted (Siddiqi 2006).
    """
    found = np.maximum(_shares(counts, np.asarray(expected.starts, dtype=np.int64)), SHARE_MIN)
    wanted = np.maximum(expected.shares, SHARE_MIN)
    return float(((found - wanted) * np.log(found / wanted)).sum())


def _shares(counts: IntArray, starts: IntArray) -> AnyArray:
    return np.asarray(np.add.reduceat(counts, [0, *starts]) / counts.sum())
