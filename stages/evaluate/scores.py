"""Scores of a glacier map against labels: pure functions on boolean arrays."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.ndimage import binary_erosion
from scipy.special import expit, logit

from stages.common.model.calibration import reliability_bins
from stages.common.model.probability import stored_levels, threshold_level
from stages.common.tables.evaluate import PrecisionRecallRow, ReliabilityRow, Scores
from stages.common.types import BoolArray, Float32Array, Float64Array, IntArray
from stages.evaluate.nearest import distances_px
from stages.evaluate.pixel_areas import PixelAreas

THRESHOLDS = np.linspace(0, 1, 101)
SURE = (1e-6, 1 - 1e-6)
"""Beyond this a single-precision probability is 0 or 1, and its logit says nothing."""


def score(
    mapped: BoolArray, truth: BoolArray, region: BoolArray, area_km2: Float64Array | PixelAreas, pixel_m: float
) -> Scores:
    """Return the agreement of `mapped` with `truth` (both (H, W) bool) over the pixels of `region`.

    IoU, F1, precision and recall count pixels; the area bias weighs them with `area_km2`.
    """
    (scores,) = score_zones(mapped, truth, zone_of(region), area_km2, pixel_m, count=1)
    return scores


def zone_of(region: BoolArray) -> IntArray:
    """Return (H, W): 0 within the region, -1 beyond."""
    return np.where(region, np.int8(0), np.int8(-1))


def score_zones(
    mapped: BoolArray,
    truth: BoolArray,
    zone: IntArray,
    area_km2: Float64Array | PixelAreas,
    pixel_m: float,
    *,
    count: int,
) -> list[Scores]:
    """Return `score` for each of `count` zones; `zone` is (H, W), -1 outside all zones."""
    pixels = confusion_by_zone(mapped, truth, zone, count=count)
    km2 = confusion_by_zone(mapped, truth, zone, count=count, weights=area_km2)
    distances = boundary_distances_m(mapped, truth, zone, pixel_m, count=count)
    return [_scores(pixels[i], km2[i], distance_m=distances[i]) for i in range(count)]


def confusion_by_zone(
    mapped: BoolArray, truth: BoolArray, zone: IntArray, *, count: int, weights: Float64Array | PixelAreas | None = None
) -> Float64Array:
    """Return (count, 4) pixels of each zone, or the sums of their weights: neither, mapped only, labelled only, both.

    All arrays have one shape; `zone` is -1 outside all zones.
    """
    inside = zone >= 0
    cell = 4 * zone[inside].astype(np.int32) + 2 * truth[inside] + mapped[inside]
    sums = np.bincount(cell, None if weights is None else weights[inside], minlength=4 * count)
    return np.asarray(sums, dtype=np.float64).reshape(count, 4)


def _scores(pixels: Float64Array, km2: Float64Array, *, distance_m: float | None) -> Scores:
    """Return the scores of one row of `confusion_by_zone`, counted in pixels and in km2."""
    _, false_alarm, miss, hit = pixels.tolist()
    _, false_alarm_km2, miss_km2, hit_km2 = km2.tolist()
    labelled_km2 = hit_km2 + miss_km2
    return Scores(
        iou=ratio(hit, hit + false_alarm + miss),
        f1=ratio(2 * hit, 2 * hit + false_alarm + miss),
        precision=ratio(hit, hit + false_alarm),
        recall=ratio(hit, hit + miss),
        area_bias_pct=100 * (false_alarm_km2 - miss_km2) / labelled_km2 if labelled_km2 else None,
        boundary_distance_m=distance_m,
    )


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole; None where the whole is 0."""
    return float(part / whole) if whole else None


def boundary(mask: BoolArray) -> BoolArray:
    """Return glacier pixels with a neighbour (of four) that is background; the edge of the map is not a boundary."""
    return mask & ~binary_erosion(mask, border_value=1)


def boundary_distance_m(mapped: BoolArray, truth: BoolArray, region: BoolArray, pixel_m: float) -> float | None:
    """Return the mean distance in metres between two boundaries, both ways; None where one of them is empty.

    The boundaries of the whole maps are measured against, those within `region` are measured.
    """
    (mean,) = boundary_distances_m(mapped, truth, zone_of(region), pixel_m, count=1)
    return mean


def boundary_distances_m(
    mapped: BoolArray, truth: BoolArray, zone: IntArray, pixel_m: float, *, count: int
) -> list[float | None]:
    """Return the mean distance in metres between both maps' boundaries per zone; `zone` is -1 outside all zones.

    The boundaries of the whole maps are measured against, those within a zone are measured.
    """
    mapped_edge, true_edge = boundary(mapped), boundary(truth)
    if not mapped_edge.any() or not true_edge.any():
        return [None] * count
    of_mapped = _mean_by_zone(true_edge, zone, mapped_edge & (zone >= 0), count)
    of_true = _mean_by_zone(mapped_edge, zone, true_edge & (zone >= 0), count)
    means = (of_mapped + of_true) / 2 * pixel_m
    return [float(mean) if np.isfinite(mean) else None for mean in means]


def _mean_by_zone(targets: BoolArray, zone: IntArray, where: BoolArray, count: int) -> Float64Array:
    """Return the mean distance to `targets` of the pixels of `where` in each zone, in pixels; NaN without any."""
    sums = np.bincount(zone[where], weights=distances_px(where, targets), minlength=count)
    pixels = np.bincount(zone[where], minlength=count)
    return np.asarray(np.divide(sums, pixels, out=np.full(count, np.nan), where=pixels > 0))


def precision_recall_rows(probability: Float32Array, truth: BoolArray) -> list[PrecisionRecallRow]:
    """Return precision and recall by threshold, of 1-D arrays; precision is 1 where nothing is mapped."""
    rows, levels = [], stored_levels(probability)
    for threshold in THRESHOLDS:
        mapped = levels >= threshold_level(threshold)
        hit, positives = int((mapped & truth).sum()), int(mapped.sum())
        union = positives + int(truth.sum()) - hit
        rows.append(
            PrecisionRecallRow(
                threshold=round(float(threshold), 2),
                precision=round(hit / positives, 6) if positives else 1.0,
                recall=round(hit / max(int(truth.sum()), 1), 6),
                iou=round(hit / union, 6) if union else 0.0,
            )
        )
    return rows


def as_fitted(probability: Float32Array, temperature: float) -> Float32Array:
    """Undo the calibration, which divides logits by `temperature` (Guo et al. 2017); probabilities of any shape."""
    if temperature == 1:
        return probability
    return np.asarray(expit(temperature * logit(np.clip(probability, *SURE))), dtype=np.float32)


def reliability_rows(
    probability: Float32Array, truth: BoolArray, kind: Literal["calibrated", "uncalibrated"] = "calibrated"
) -> list[ReliabilityRow]:
    """Mean probability and observed glacier fraction in ten bins, of 1-D arrays; empty bins are left out."""
    return [
        ReliabilityRow(
            kind=kind,
            probability=round(min(part.probability, 1.0), 6),
            observed_fraction=round(part.observed_fraction, 6),
            pixels=part.pixels,
        )
        for part in reliability_bins(probability, truth)
    ]
