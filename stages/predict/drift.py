"""Input drift: how far the scene's pixels are from the training pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.geo.raster import open_raster
from stages.common.model.histograms import grouped, level_counts, stability_index
from stages.common.model.inference import ModelInfo
from stages.common.tables.drift import BandDrift, BandReference, Drift
from stages.common.types import AnyArray, IntArray

NO_REFERENCE = "the model carries no histograms of its training pixels; train it again"
NOTHING_OBSERVED = "no pixel was seen"


def measure_drift(info: ModelInfo, scene_path: Path, valid_path: Path, *, year: int) -> Drift:
    """Compare all valid pixels of a prepared scene with the training pixels, band by band.

    A scene differs from the training pixels in the ground it covers as well, so the index is never quite zero.
    """
    if not info.band_references:
        return Drift(year=year, pixels=0, bands=[], reason=NO_REFERENCE)
    counts, sums, scale, offset = _read(scene_path, valid_path)
    pixels = int(counts[0].sum())
    if pixels == 0:
        return Drift(year=year, pixels=0, bands=[], reason=NOTHING_OBSERVED)
    means = sums / pixels * scale + offset
    bands = [
        BandDrift(
            band=band,
            psi=round(stability_index(pixels_by_bin, expected), 4),
            mean_shift_sd=round(float(mean - expected.mean) / max(expected.std, 1e-9), 4),
            darkest_share=darkest_share(pixels_by_bin, expected),
            darkest_share_in_training=expected.shares[0] if expected.starts else None,
        )
        for band, pixels_by_bin, mean, expected in zip(info.bands, counts, means, info.band_references, strict=True)
    ]
    return Drift(year=year, pixels=pixels, bands=bands)


def darkest_share(counts: IntArray, expected: BandReference) -> float | None:
    """Return the share of counts (bins,) in the darkest group of the training pixels; None where there is one group."""
    if not expected.starts:
        return None
    return round(float(counts[: expected.starts[0]].sum() / counts.sum()), 6)


def _read(scene_path: Path, valid_path: Path) -> tuple[IntArray, AnyArray, float, float]:
    """Return counts (C, bins) and sums (C,) of the valid pixels' stored numbers, and their scale and offset."""
    with open_raster(scene_path) as scene, open_raster(valid_path) as valid:
        dtype = scene.dtypes[0]
        levels = np.zeros((scene.count, np.iinfo(dtype).max + 1), dtype=np.int64)
        for _, window in scene.block_windows(1):
            pixels, unseen = scene.read(window=window), valid.read(1, window=window) != 1
            levels += level_counts(pixels.reshape(scene.count, -1).T)
            levels -= level_counts(pixels[:, unseen].T)  # mostly few: to pick out the others would take longer
        sums = levels @ np.arange(levels.shape[1])
        return grouped(levels, dtype), sums, float(scene.scales[0]), float(scene.offsets[0])
