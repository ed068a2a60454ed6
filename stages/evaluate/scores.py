"""Scores of a glacier map against labels: pure functions on boolean arrays."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt

from stages.common.tables_learning import PrecisionRecallRow, ReliabilityRow, Scores
from stages.common.types import BoolArray, Float32Array, Float64Array, IntArray

THRESHOLDS = np.linspace(0, 1, 101)
BINS = 10


def score(mapped: BoolArray, truth: BoolArray, region: BoolArray, area_km2: Float64Array, pixel_m: float) -> Scores:
    """Agreement of `mapped` with `truth` (both (H, W) bool) over the pixels of `region`.

    IoU, F1, precision and recall count pixels; the area bias weighs them with `area_km2`.
    """
    hit = int((mapped & truth & region).sum())
    false_alarm = int((mapped & ~truth & region).sum())
    miss = int((~mapped & truth & region).sum())
    truth_km2 = float(area_km2[truth & region].sum())
    mapped_km2 = float(area_km2[mapped & region].sum())
    return Scores(
        iou=_ratio(hit, hit + false_alarm + miss),
        f1=_ratio(2 * hit, 2 * hit + false_alarm + miss),
        precision=_ratio(hit, hit + false_alarm),
        recall=_ratio(hit, hit + miss),
        area_bias_pct=100 * (mapped_km2 / truth_km2 - 1) if truth_km2 else None,
        boundary_distance_m=boundary_distance_m(mapped, truth, region, pixel_m),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def boundary(mask: BoolArray) -> BoolArray:
    """Glacier pixels with a neighbour (of four) that is background; the frame is no boundary."""
    return mask & ~binary_erosion(mask, border_value=1)


def boundary_distance_m(mapped: BoolArray, truth: BoolArray, region: BoolArray, pixel_m: float) -> float | None:
    """Mean distance from each boundary to the other, both ways; None where one of them is empty.

    The boundaries of the whole maps are measured against, those within `region` are measured.
    """
    (mean,) = boundary_distances_m(mapped, truth, np.where(region, 0, -1), pixel_m, count=1)
    return mean


def boundary_distances_m(
    mapped: BoolArray, truth: BoolArray, zone: IntArray, pixel_m: float, *, count: int
) -> list[float | None]:
    """Mean distance between the boundaries of both maps in each of `count` zones; `zone` is -1 where none is.

    The boundaries of the whole maps are measured against, those within a zone are measured.
    """
    ours, theirs = boundary(mapped), boundary(truth)
    if not ours.any() or not theirs.any():
        return [None] * count
    one = _mean_by_zone(distance_transform_edt(~theirs), zone, ours & (zone >= 0), count)
    other = _mean_by_zone(distance_transform_edt(~ours), zone, theirs & (zone >= 0), count)
    means = (one + other) / 2 * pixel_m
    return [float(mean) if np.isfinite(mean) else None for mean in means]


def _mean_by_zone(distance: Float64Array, zone: IntArray, where: BoolArray, count: int) -> Float64Array:
    """Mean of `distance` over the pixels of `where` in each zone; NaN where there is none."""
    sums = np.bincount(zone[where], weights=distance[where], minlength=count)
    pixels = np.bincount(zone[where], minlength=count)
    return np.asarray(np.divide(sums, pixels, out=np.full(count, np.nan), where=pixels > 0))


def precision_recall(probability: Float32Array, truth: BoolArray) -> list[PrecisionRecallRow]:
    """Precision and recall over thresholds, of 1-D arrays of scored pixels; precision is 1 where nothing is mapped."""
    rows = []
    for threshold in THRESHOLDS:
        mapped = probability >= threshold
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


def reliability(probability: Float32Array, truth: BoolArray) -> list[ReliabilityRow]:
    """Mean probability and observed glacier fraction in ten bins, of 1-D arrays; empty bins are left out."""
    index = np.minimum((probability * BINS).astype(int), BINS - 1)
    rows = []
    for one in range(BINS):
        there = index == one
        if there.any():
            mean, observed = float(probability[there].mean(dtype=np.float64)), float(truth[there].mean())
            row = ReliabilityRow(
                probability=round(min(mean, 1.0), 6), observed_fraction=round(observed, 6), pixels=int(there.sum())
            )
            rows.append(row)
    return rows


def expected_calibration_error(rows: list[ReliabilityRow]) -> float:
    """Mean distance between probability and observed fraction, weighed by pixels (Naeini et al. 2015)."""
    pixels = sum(row.pixels for row in rows)
    return sum(row.pixels * abs(row.probability - row.observed_fraction) for row in rows) / max(pixels, 1)
