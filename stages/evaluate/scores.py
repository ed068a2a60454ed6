"""Scores of a glacier map against labels: planes are read by strips, and no bit depends on these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from stages.common.geo.rows import strips
from stages.common.model.calibration import BINS
from stages.common.model.probability import stored_levels, threshold_level
from stages.common.tables.evaluate import PrecisionRecallRow, ReliabilityRow, Scores
from stages.common.types import BoolArray, Float32Array, Float64Array, Rows
from stages.evaluate.boundaries import Boundaries, measure_boundaries
from stages.evaluate.planes import ROWS_AT_ONCE, made

Parts = Iterable[tuple[Float32Array, BoolArray]]
"""Probability, 0-1, and whether it is labelled glacier, of some pixels at a time, both (N,)."""

THRESHOLDS = np.linspace(0, 1, 101)
SURE = (1e-6, 1 - 1e-6)
"""Beyond this a single-precision probability is 0 or 1, and its logit says nothing."""


def score(
    mapped: Rows,
    truth: Rows,
    region: Rows,
    area_km2: Rows,
    pixel_m: float,
    *,
    boundaries: Boundaries | None = None,
) -> Scores:
    """Return the agreement of `mapped` with `truth` (both (H, W) bool) over the pixels of `region`.

    IoU, F1, precision and recall count pixels; the area bias weighs them with `area_km2`. `boundaries`, if they have
    been measured, are those of the two maps within the region or about it.
    """
    zone = zone_of(region)
    (scores,) = score_zones(mapped, truth, zone, area_km2, pixel_m, count=1, boundaries=boundaries)
    return scores


def zone_of(region: Rows) -> Rows:
    """Return (H, W): 0 within the region, -1 beyond."""
    return made(region, np.int8, lambda rows: np.where(region[rows], np.int8(0), np.int8(-1)))


def score_zones(
    mapped: Rows,
    truth: Rows,
    zone: Rows,
    area_km2: Rows,
    pixel_m: float,
    *,
    count: int,
    boundaries: Boundaries | None = None,
) -> list[Scores]:
    """Return `score` for each of `count` zones; `zone` is (H, W), -1 outside all zones."""
    cells = cells_by_zone(mapped, truth, zone, area_km2, count=count)
    return scores_of(cells, mapped, truth, zone, pixel_m, boundaries=boundaries)


def scores_of(
    cells: Cells, mapped: Rows, truth: Rows, zone: Rows, pixel_m: float, *, boundaries: Boundaries | None = None
) -> list[Scores]:
    """Return the scores of zones whose pixels have been counted; else as `score_zones`."""
    if boundaries is None:
        boundaries = measure_boundaries(mapped, truth, made(zone, np.bool_, lambda rows: zone[rows] >= 0))
    count = len(cells.pixels)
    distances = boundaries.mean_distances_m(zone, pixel_m, count=count)
    return [_scores(cells.pixels[i], cells.km2[i], distance_m=distances[i]) for i in range(count)]


@dataclass(frozen=True)
class Cells:
    """The cells of confusion matrices, (zones, 4) float64: neither, mapped only, labelled only, both."""

    pixels: Float64Array
    km2: Float64Array


def cells_by_zone(
    mapped: Rows, truth: Rows, zone: Rows, area_km2: Rows, *, count: int, rows_at_once: int = ROWS_AT_ONCE
) -> Cells:
    """Return the cells of `count` zones; all planes are (H, W), and `zone` is -1 outside all zones.

    Areas are added pixel by pixel in the order of rows, so that no bit depends on `rows_at_once`.
    """
    pixels, km2 = np.zeros(4 * count), np.zeros(4 * count)
    for rows in strips(zone.shape[0], rows_at_once):
        zones = zone[rows]
        inside = zones >= 0
        cell = 4 * zones[inside].astype(np.intp) + 2 * truth[rows][inside] + mapped[rows][inside]
        pixels += np.bincount(cell, minlength=4 * count)
        np.add.at(km2, cell, area_km2[rows][inside])
    return Cells(pixels.reshape(count, 4), km2.reshape(count, 4))


def _scores(pixels: Float64Array, km2: Float64Array, *, distance_m: float | None) -> Scores:
    """Return the scores of the cells (4,) of one zone, counted in pixels and in km2."""
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


def precision_recall_rows(parts: Parts) -> list[PrecisionRecallRow]:
    """Return precision and recall by threshold; precision is 1 where nothing is mapped."""
    at_level = np.zeros((2, threshold_level(1) + 1), dtype=np.int64)  # pixels by label and by stored level
    for probability, truth in parts:
        for is_glacier in (0, 1):
            levels = stored_levels(probability[truth == is_glacier])
            at_level[is_glacier] += np.bincount(levels, minlength=at_level.shape[1])
    reached = at_level[:, ::-1].cumsum(axis=1)[:, ::-1]
    glacier, rows = int(at_level[1].sum()), []
    for threshold in THRESHOLDS:
        others, hit = reached[:, threshold_level(threshold)].tolist()
        positives, union = others + hit, others + glacier
        rows.append(
            PrecisionRecallRow(
                threshold=round(float(threshold), 2),
                precision=round(hit / positives, 6) if positives else 1.0,
                recall=round(hit / max(glacier, 1), 6),
                iou=round(hit / union, 6) if union else 0.0,
            )
        )
    return rows


def as_fitted(probability: Float32Array, temperature: float) -> Float32Array:
    """Undo the calibration, which divides logits by `temperature` (Guo et al. 2017); probabilities of any shape."""
    if temperature == 1:
        return probability
    return np.asarray(expit(temperature * logit(np.clip(probability, *SURE))), dtype=np.float32)


def reliability_rows(parts: Parts, kind: Literal["calibrated", "uncalibrated"] = "calibrated") -> list[ReliabilityRow]:
    """Mean probability and observed glacier fraction in ten bins; empty bins are left out.

    Probabilities are added pixel by pixel, so that no bit depends on the parts.
    """
    pixels, glacier, sums = np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64), np.zeros(BINS)
    for probability, truth in parts:
        number = np.minimum((probability * BINS).astype(np.intp), BINS - 1)
        pixels += np.bincount(number, minlength=BINS)
        glacier += np.bincount(number[truth], minlength=BINS)
        np.add.at(sums, number, probability.astype(np.float64))
    return [
        ReliabilityRow(
            kind=kind,
            probability=round(min(float(sums[i] / pixels[i]), 1.0), 6),
            observed_fraction=round(float(glacier[i] / pixels[i]), 6),
            pixels=int(pixels[i]),
        )
        for i in np.flatnonzero(pixels)
    ]
