"""Scores of parts of a map, of blocks, and what rests on blocks: known answers and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.common.geo.planes import Bits
from stages.common.model.split import block_numbers
from stages.common.tables.evaluate import BlockRow, SliceRow
from stages.evaluate.blocks import block_rows, block_sums, leave_one_out, score_interval
from stages.evaluate.boundaries import measure_boundaries
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import as_fitted, cells_by_zone, score, score_zones
from stages.evaluate.slices import slice_rows
from tests.evaluate import labelled

EVERYWHERE = ~Bits(labelled.GRID.shape)


def row(**values: float) -> BlockRow:
    zero = dict.fromkeys((name for name in BlockRow.model_fields), 0)
    return BlockRow.model_validate(zero | values)


def slices(scene: LabelledScene, mapped: Bits) -> list[SliceRow]:
    boundaries = measure_boundaries(mapped, scene.truth, EVERYWHERE)
    nearest = scene.nearest_glacier(mapped | scene.truth)
    return slice_rows(scene, mapped, EVERYWHERE, nearest=nearest, boundaries=boundaries)


def test_slices_of_a_perfect_map() -> None:
    scene = labelled.scene()
    rows = {part.group: part for part in slices(scene, scene.truth)}
    assert list(rows) == ["all", "< 0.5 km2", "> 10 km2"]
    assert [part.n_glaciers for part in rows.values()] == [2, 1, 1]
    assert rows["> 10 km2"].labelled_km2 == pytest.approx(3600 * 9e-4, rel=2e-3)
    assert all(part.iou == 1 and part.area_bias_pct == 0 and part.boundary_distance_m == 0 for part in rows.values())


def test_what_is_missed_of_the_small_glacier_stays_with_its_class() -> None:
    scene = labelled.scene()
    rows = {part.group: part for part in slices(scene, Bits.of(labelled.ids() == 1))}
    assert rows["> 10 km2"].iou == 1
    assert rows["< 0.5 km2"].iou == 0 and rows["< 0.5 km2"].area_bias_pct == -100
    assert rows["all"].iou == pytest.approx(3600 / 3680)


def test_recall_of_debris_and_of_clean_ice() -> None:
    debris = np.zeros(labelled.GRID.shape, dtype=bool)
    debris[10:70, 10:25] = True
    scene = labelled.scene(debris=Bits.of(debris), surface_method="by hand")
    mapped = scene.truth[:] & ~debris
    mapped[10:22, 10:25] = True  # 12 of 60 rows of the debris
    surfaces = {part.group: part for part in slices(scene, Bits.of(mapped)) if part.slice == "surface"}
    assert surfaces["debris"].recall == pytest.approx(0.2) and surfaces["clean"].recall == 1
    assert surfaces["debris"].iou is None and surfaces["debris"].n_glaciers == 1
    assert surfaces["debris"].labelled_km2 == pytest.approx(900 * 9e-4, rel=2e-3)


def test_rows_of_blocks_add_up_to_the_pooled_scores() -> None:
    rng = np.random.default_rng(0)
    ignored = rng.random(labelled.GRID.shape) < 0.1
    scene = labelled.scene(ignored=Bits.of(ignored))
    probability = rng.random(labelled.GRID.shape).astype(np.float32)
    mapped, region = probability >= 0.4, rng.random(labelled.GRID.shape) < 0.8
    region[:20, :20] = False
    rows = block_rows(
        scene, lambda rows: probability[rows][region[rows]], Bits.of(mapped), Bits.of(region), labelled.PATCHES
    )
    pooled = score(mapped, scene.truth, region, scene.area_km2, 30.0)
    assert len(rows) == 35 and (rows[0].block_row, rows[0].block_column) == (0, 1)
    total = {name: sum(getattr(block, name) for block in rows) for name in BlockRow.model_fields}
    assert total["tp_px"] / (total["tp_px"] + total["fp_px"] + total["fn_px"]) == pooled.iou
    assert total["pixels"] == region.sum() and total["trusted_px"] == (region & ~ignored).sum()
    p = probability[region & ~ignored].astype(float)
    assert total["trusted_expected_px"] == pytest.approx(p.sum()) and total["trusted_variance_px2"] == pytest.approx(
        (p * (1 - p)).sum()
    )
    assert total["tp_km2"] == pytest.approx(scene.area_km2[:][mapped & scene.truth[:] & region].sum(), abs=1e-4)


@settings(max_examples=40)
@given(
    mapped=arrays(np.bool_, (9, 8)), truth=arrays(np.bool_, (9, 8)),
    zone=arrays(np.int64, (9, 8), elements=st.integers(-1, 2)),
)  # fmt: skip
def test_zones_are_scored_as_if_alone(mapped: np.ndarray, truth: np.ndarray, zone: np.ndarray) -> None:
    area = np.full((9, 8), 1e-4)
    zones = score_zones(mapped, truth, zone, area, 10.0, count=3)
    assert zones == [score(mapped, truth, zone == number, area, 10.0) for number in range(3)]
    assert cells_by_zone(mapped, truth, zone, area, count=3).pixels.sum() == (zone >= 0).sum()


@settings(max_examples=60)
@given(
    mapped=arrays(np.bool_, (23, 6)), truth=arrays(np.bool_, (23, 6)),
    zone=arrays(np.int8, (23, 6), elements=st.integers(-1, 2)), rows_at_once=st.integers(1, 24),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_no_bit_of_a_sum_depends_on_strips(
    mapped: np.ndarray, truth: np.ndarray, zone: np.ndarray, rows_at_once: int, seed: int
) -> None:
    """Against a sum over all pixels at once, which adds in the order of rows too."""
    area = np.random.default_rng(seed).random(zone.shape)
    cells = cells_by_zone(mapped, truth, zone, area, count=3, rows_at_once=rows_at_once)
    inside = zone >= 0
    cell = 4 * zone[inside] + 2 * truth[inside] + mapped[inside]
    assert cells.pixels.ravel().tolist() == np.bincount(cell, minlength=12).tolist()
    assert cells.km2.ravel().tolist() == np.bincount(cell, area[inside], minlength=12).tolist()


def test_the_first_block_has_its_sums() -> None:
    scene = labelled.scene()
    probability = np.full(labelled.GRID.shape, 0.25, dtype=np.float32)
    first, *_ = block_rows(scene, lambda rows: probability[rows].ravel(), scene.truth, EVERYWHERE, labelled.PATCHES)
    assert (first.block_row, first.block_column, first.pixels) == (0, 0, 400)
    assert (first.expected_px, first.variance_px2) == (100.0, 75.0)


def test_blocks_of_rows_that_end_within_a_strip_are_those_of_the_split() -> None:
    """Blocks of 35 by 50 pixels: strips, blocks and the edge of the map do not end together."""
    params = labelled.PATCHES.model_copy(update={"block_rows_px": 35, "block_columns_px": 50})
    rng, numbers = np.random.default_rng(4), block_numbers(labelled.GRID.shape, params)
    region = rng.random(numbers.shape) < 0.3
    probability = rng.random(numbers.shape, dtype=np.float32)
    scene = labelled.scene()
    rows = block_rows(scene, lambda rows: probability[rows][region[rows]], scene.truth, Bits.of(region), params)
    assert [block.pixels for block in rows] == np.bincount(numbers[region]).tolist()
    expected = np.bincount(numbers[region], probability[region].astype(float))
    assert [block.expected_px for block in rows] == expected.round(4).tolist()
    assert [(block.block_row, block.block_column) for block in rows] == [(i // 3, i % 3) for i in range(12)]


def test_interval_of_equal_blocks_is_a_point() -> None:
    interval = score_interval([row(tp_px=80, fp_px=10, fn_px=10, tp_km2=0.8, fp_km2=0.2, fn_km2=0.1)] * 6)
    assert (interval.blocks, interval.iou_low95, interval.iou_high95) == (6, pytest.approx(0.8), pytest.approx(0.8))
    assert interval.area_bias_low95_pct == pytest.approx(100 * 0.1 / 0.9)


def test_interval_of_a_proportion_is_that_of_the_binomial() -> None:
    """100 blocks, half of them found: the IoU's interval is 0.5 +- 1.96 sqrt(0.25 / 100)."""
    interval = score_interval([row(tp_px=1), row(fn_px=1)] * 50)
    assert interval.iou_low95 == pytest.approx(0.402, abs=0.012)
    assert interval.iou_high95 == pytest.approx(0.598, abs=0.012)


@pytest.mark.parametrize(
    "rows",
    [pytest.param([row(tp_px=1)] * 4, id="four blocks"), pytest.param([row(tn_px=9)] * 8, id="no glacier anywhere")],
)
def test_no_interval_of(rows: list[BlockRow]) -> None:
    interval = score_interval(rows)
    assert interval.iou_low95 is interval.area_bias_high95_pct is None and interval.blocks == len(rows)


def off(error_px: int, variance_px2: float = 100.0) -> BlockRow:
    return row(
        pixels=1000, tp_px=500, fp_px=max(error_px, 0), fn_px=max(-error_px, 0),
        expected_px=500.0 + error_px, variance_px2=variance_px2, trusted_px=100,
    )  # fmt: skip


def test_leaving_one_out_covers_what_was_asked_for() -> None:
    rng = np.random.default_rng(3)
    blocks = [off(int(error)) for error in rng.normal(0, 60, 200)]
    coverage = leave_one_out(block_sums(blocks))
    assert coverage.blocks == 200
    assert coverage.coverage_68 == pytest.approx(0.68, abs=0.03) and coverage.coverage_95 == pytest.approx(
        0.95, abs=0.03
    )


def test_one_bad_block_is_not_covered_by_the_others() -> None:
    coverage = leave_one_out(block_sums([*(off(error) for error in range(1, 20)), off(300)]))
    assert coverage.coverage_95 == pytest.approx(19 / 20)


def test_coverage_needs_twenty_blocks() -> None:
    coverage = leave_one_out(block_sums([off(error) for error in range(1, 20)]))
    assert coverage.coverage_95 is None and coverage.coverage_68 is not None
    assert leave_one_out(block_sums([])).coverage_68 is None


def test_the_boundary_counts_in_the_error_of_a_block() -> None:
    """All errors lie in the ignore band: the trusted pixels alone would be without any."""
    sums = block_sums([off(5), off(-7)])
    assert (sums.mapped - sums.labelled).tolist() == [5, -7]


def test_calibration_is_undone() -> None:
    logits = np.linspace(-6, 6, 25)
    calibrated = (1 / (1 + np.exp(-logits / 2.5))).astype(np.float32)
    assert as_fitted(calibrated, 2.5) == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-4)
    assert as_fitted(np.array([0.0, 1.0], np.float32), 3.0) == pytest.approx([0, 1], abs=1e-5)
    assert as_fitted(calibrated, 1.0) is calibrated
