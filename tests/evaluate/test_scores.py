"""Scores with known answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.common.geo.planes import Bits, Plane
from stages.common.model.calibration import expected_calibration_error
from stages.common.model.probability import reaches
from stages.common.tables.evaluate import GlacierScoreRow
from stages.common.tables.labels import GlacierRow
from stages.evaluate.baselines import CANDIDATES, fit_threshold, snow_index
from stages.evaluate.boundaries import boundary_pixels, measure_boundaries
from stages.evaluate.glaciers import glacier_scores
from stages.evaluate.nearest import nearest_glacier
from stages.evaluate.scores import precision_recall_rows, reliability_rows, score

EVERYWHERE = np.ones((40, 60), dtype=bool)
AREA = np.full((40, 60), 9e-4)


def rectangle(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((40, 60), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_known_answer() -> None:
    scores = score(rectangle(10, 30, 12, 42), rectangle(10, 30, 10, 40), EVERYWHERE, AREA, 30.0)
    assert scores.iou == pytest.approx(28 / 32)
    assert scores.precision == scores.recall == pytest.approx(28 / 30)
    assert scores.f1 == pytest.approx(28 / 30)
    assert scores.area_bias_pct == pytest.approx(0.0)


def test_area_bias_weighs_pixels_with_their_area() -> None:
    area = AREA.copy()
    area[:, 30:] *= 2
    scores = score(rectangle(0, 40, 30, 60), rectangle(0, 40, 0, 30), EVERYWHERE, area, 30.0)
    assert scores.area_bias_pct == pytest.approx(100.0)


@pytest.mark.parametrize("shift", [0, 1, 4])
def test_boundary_distance_of_a_shifted_edge_is_the_shift(shift: int) -> None:
    scores = score(rectangle(0, 40, 0, 20 + shift), rectangle(0, 40, 0, 20), EVERYWHERE, AREA, 30.0)
    assert scores.boundary_distance_m == pytest.approx(30.0 * shift)


def test_boundary_distance_needs_two_boundaries() -> None:
    assert score(EVERYWHERE, rectangle(0, 40, 0, 20), EVERYWHERE, AREA, 30.0).boundary_distance_m is None


def test_only_the_region_counts() -> None:
    region = rectangle(0, 40, 0, 30)
    scores = score(rectangle(0, 40, 0, 60), rectangle(0, 40, 0, 30), region, AREA, 30.0)
    assert scores.iou == 1.0


masks = arrays(np.bool_, (12, 9))


@settings(max_examples=60)
@given(mapped=masks, truth=masks)
def test_laws(mapped: np.ndarray, truth: np.ndarray) -> None:
    region, area = np.ones((12, 9), dtype=bool), np.full((12, 9), 1e-4)
    scores, swapped = score(mapped, truth, region, area, 10.0), score(truth, mapped, region, area, 10.0)
    assert scores.iou == swapped.iou
    assert scores.precision == swapped.recall
    if scores.iou is not None and scores.f1 is not None:
        assert scores.f1 == pytest.approx(2 * scores.iou / (1 + scores.iou))
    assert score(truth, truth, region, area, 10.0).iou in (1.0, None)


def test_precision_recall_known_answer() -> None:
    probability, truth = np.array([0.1, 0.4, 0.6, 0.9], dtype=np.float32), np.array([False, True, False, True])
    rows = precision_recall_rows([(probability, truth)])
    half = next(row for row in rows if row.threshold == 0.5)
    assert (half.precision, half.recall) == (0.5, 0.5)
    assert half.iou == pytest.approx(1 / 3, abs=1e-6)
    assert rows[0].recall == 1.0 and rows[-1].precision == 1.0
    assert [row.recall for row in rows] == sorted((row.recall for row in rows), reverse=True)


@settings(max_examples=40)
@given(truth=arrays(np.bool_, 40), cuts=st.lists(st.integers(0, 40), max_size=5), seed=st.integers(0, 99))
def test_curves_do_not_depend_on_the_parts_they_are_summed_by(truth: np.ndarray, cuts: list[int], seed: int) -> None:
    """Each threshold of the curve against the pixels that reach it, counted one by one."""
    probability = np.random.default_rng(seed).random(40, dtype=np.float32)
    edges = [0, *sorted(cuts), 40]
    parts = [(probability[first:stop], truth[first:stop]) for first, stop in itertools.pairwise(edges)]
    whole = [(probability, truth)]
    assert precision_recall_rows(parts) == precision_recall_rows(whole)
    assert reliability_rows(parts) == reliability_rows(whole)
    for row in precision_recall_rows(whole):
        mapped = reaches(probability, row.threshold)
        assert row.precision == (round((mapped & truth).sum() / mapped.sum(), 6) if mapped.any() else 1)


def test_a_calibrated_probability_has_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(200_000).astype(np.float32)
    truth = rng.random(200_000) < probability
    assert expected_calibration_error(reliability_rows([(probability, truth)])) < 0.005
    assert expected_calibration_error(reliability_rows([(np.sqrt(probability), truth)])) > 0.1


def test_the_threshold_rule_finds_the_planted_threshold() -> None:
    rng = np.random.default_rng(0)
    index = rng.random(5000).astype(np.float32)
    ice = index[index >= 0.37]
    rule = fit_threshold(index, ice, glacier_px=len(ice), name="brightness")
    assert rule.threshold == pytest.approx(0.37, abs=0.01)
    assert str(rule).startswith("brightness >= 0.3")


@settings(max_examples=40)
@given(
    index=arrays(np.float32, st.integers(0, 60), elements=st.floats(-1, 1, width=32)),
    seed=st.integers(0, 99), unknown=st.integers(0, 5),
)  # fmt: skip
def test_the_threshold_rule_is_the_first_best_of_all_that_are_tried(index: np.ndarray, seed: int, unknown: int) -> None:
    """Glacier pixels without an index count in the union alone."""
    truth = np.random.default_rng(seed).random(len(index)) < 0.4
    tried = np.quantile(index, np.linspace(0, 1, CANDIDATES)) if len(index) else np.array([0.0])
    hits = np.array([((index >= value) & truth).sum() for value in tried])
    unions = np.array([((index >= value) | truth).sum() for value in tried]) + unknown
    best = int(np.argmax(hits / np.maximum(unions, 1)))
    rule = fit_threshold(index.copy(), index[truth], glacier_px=int(truth.sum()) + unknown, name="NDSI")
    assert rule.threshold == tried[best]


def test_the_index_is_ndsi_where_swir_is_there() -> None:
    pixels = np.array([[[0.8, 0.1], [0.1, 0.3], [0.0, 0.0]]], dtype=np.float32)
    name, index = snow_index(pixels, ["B03", "B11"])
    assert name == "NDSI"
    assert index[0, :2] == pytest.approx([0.7 / 0.9, -0.5])
    assert np.isnan(index[0, 2])
    assert snow_index(pixels, ["red", "green"])[0] == "brightness"


def glaciers() -> list[GlacierRow]:
    return [
        GlacierRow(
            glacier_index=i, rgi_id=f"RGI60-15.0000{i}", outline_area_km2=1, geodesic_area_km2=1, terminus="unknown"
        )
        for i in (1, 2)
    ]


def scored(mapped: np.ndarray, ids: np.ndarray, region: np.ndarray) -> tuple[list[GlacierScoreRow], np.ndarray]:
    """Return the rows, and the glacier nearest to each pixel that is mapped or labelled."""
    truth = Bits.of(ids > 0)
    asked = Bits.of(region) & (Bits.of(mapped) | truth)
    nearest = nearest_glacier(Plane.of(None, ids), boundary_pixels(truth), where=asked)
    rows = glacier_scores(
        mapped, ids, region, nearest=nearest, boundaries=measure_boundaries(mapped, truth, region), area_km2=AREA,
        pixel_m=30.0, glaciers=glaciers(), count=int(ids.max()) + 1,
    )  # fmt: skip
    return rows, nearest[:]


def test_scores_of_single_glaciers() -> None:
    ids = np.zeros((40, 60), dtype=np.uint16)
    ids[10:20, 10:30], ids[25:35, 40:50] = 1, 2
    mapped = rectangle(10, 20, 10, 25) | rectangle(25, 35, 40, 52)
    (first, second), nearest = scored(mapped, ids, EVERYWHERE)
    assert first.recall == pytest.approx(0.75) and first.iou == pytest.approx(0.75)
    assert first.held_out_fraction == 1.0
    assert second.recall == 1.0 and second.iou == pytest.approx(100 / 120, abs=1e-6)
    assert second.area_bias_pct == pytest.approx(20.0)
    assert second.precision == pytest.approx(100 / 120, abs=1e-6) and second.f1 == pytest.approx(200 / 220, abs=1e-6)
    assert first.precision == 1.0 and first.f1 == pytest.approx(1.5 / 1.75, abs=1e-6)
    assert second.boundary_distance_m is not None and 0 < second.boundary_distance_m < 60
    assert (nearest[25:35, 50:52] == 2).all() and nearest[39, 59] == 0  # only what is mapped or labelled has an owner


def test_a_listed_glacier_without_a_pixel_has_no_row() -> None:
    ids = np.zeros((40, 60), dtype=np.uint16)
    ids[10:20, 10:30] = 1
    (row,), _ = scored(ids > 0, ids, EVERYWHERE)
    assert (row.rgi_id[-1], row.iou, row.f1, row.precision, row.recall) == ("1", 1.0, 1.0, 1.0, 1.0)


def test_a_glacier_outside_the_test_blocks_has_no_row() -> None:
    ids = np.zeros((40, 60), dtype=np.uint16)
    ids[10:20, 10:30], ids[25:35, 40:50] = 1, 2
    (row,), _ = scored(ids > 0, ids, rectangle(0, 40, 0, 20))
    assert row.boundary_distance_m == 0.0
    assert row.rgi_id.endswith("1") and row.held_out_fraction == pytest.approx(0.5)
