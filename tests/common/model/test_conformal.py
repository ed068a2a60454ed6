"""Conformal quantiles cover what they promise; blocks, not pixels or scenes, are the units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.common.model.conformal import (
    BlockSums,
    area_error,
    area_scores,
    block_sums,
    blocks_needed,
    conformal_quantile,
)

LEVELS = st.sampled_from([0.5, 0.68, 0.8, 0.9, 0.95])


@pytest.mark.parametrize(
    ("count", "level", "rank"),
    [
        pytest.param(3, 0.68, 3, id="three are the fewest for 68 %"),
        pytest.param(2, 0.68, None, id="two are not"),
        pytest.param(19, 0.95, 19, id="nineteen are the fewest for 95 %"),
        pytest.param(18, 0.95, None, id="eighteen are not"),
        pytest.param(24, 0.68, 17, id="25 x 0.68 is 17 and no more"),
        pytest.param(99, 0.95, 95, id="many"),
        pytest.param(0, 0.5, None, id="none"),
    ],
)
def test_the_rank_of_the_quantile(count: int, level: float, rank: int | None) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, count + 1))
    assert conformal_quantile(scores, level) == rank


@given(level=LEVELS)
def test_units_needed_is_where_an_answer_begins(level: float) -> None:
    needed = blocks_needed(level)
    assert conformal_quantile(np.zeros(needed), level) == 0
    assert conformal_quantile(np.zeros(needed - 1), level) is None


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), level=LEVELS)
def test_leave_one_out_covers_for_any_scores(seed: int, count: int, level: float) -> None:
    """Of n + 1 numbers at least `level` (n + 1) are within the quantile of the others, whatever they are."""
    scores = np.random.default_rng(seed).standard_cauchy(count + 1) ** 2
    bounds = [conformal_quantile(np.delete(scores, index), level) for index in range(count + 1)]
    covered = sum(bound is None or score <= bound for score, bound in zip(scores, bounds, strict=True))
    assert covered >= level * (count + 1) - 1e-9


def test_new_blocks_are_covered_as_often_as_promised() -> None:
    """Blocks whose 200 pixels err together: the interval from 19 of them holds the 20th."""
    rng = np.random.default_rng(1)
    hits = {0.68: 0, 0.95: 0}
    for _ in range(400):
        sums = correlated_blocks(rng, 20)
        calibration, new = part(sums, slice(0, 19)), part(sums, slice(19, 20))
        error = area_error(calibration)
        assert error is not None
        score = float(area_scores(new, error.dispersion)[0])
        assert error.factor_68 is not None and error.factor_95 is not None
        hits[0.68] += score <= error.factor_68
        hits[0.95] += score <= error.factor_95
    assert hits[0.68] / 400 == pytest.approx(0.70, abs=0.07)  # ceil(20 x 0.68) = 14 of 20
    assert hits[0.95] / 400 == pytest.approx(0.95, abs=0.035)


def correlated_blocks(rng: np.random.Generator, count: int) -> BlockSums:
    """Blocks whose true log-odds are all off by one amount, which the model does not know of."""
    logit = rng.normal(0, 2, (count, 200))
    truth = rng.random(logit.shape) < 1 / (1 + np.exp(-(logit + rng.normal(0, 1, (count, 1)))))
    p = 1 / (1 + np.exp(-logit))
    block = np.repeat(np.arange(count), 200)
    return block_sums(p.ravel(), truth.ravel(), p.ravel() >= 0.5, block, np.zeros_like(block))


def part(sums: BlockSums, where: slice) -> BlockSums:
    return BlockSums(*(getattr(sums, name)[where] for name in BlockSums.__dataclass_fields__))


def test_sums_of_two_blocks_and_two_scenes() -> None:
    sums = block_sums(
        np.array([0.5, 0.5, 1.0, 0.25, 0.5]), np.array([True, False, True, True, True]),
        np.array([True, True, True, False, True]), np.array([7, 7, 7, 9, 7]), np.array([0, 0, 0, 0, 1]),
    )  # fmt: skip
    assert sums.block.tolist() == [7, 7, 9]
    assert sums.labelled.tolist() == [2, 1, 1]
    assert sums.mapped.tolist() == [3, 1, 0]
    assert sums.variance.tolist() == [1.0, 1.0, 1.0]  # 0.5, 0.25 and 0.1875, each below the floor


def test_arrays_of_different_length_are_refused() -> None:
    short = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="differ in length"):
        block_sums(np.zeros(2), np.zeros(2, dtype=bool), np.zeros(2, dtype=bool), short, short)


def test_dispersion_known_answer() -> None:
    """Errors of 2 and 4 pixels where the binomial variance is 4: (4 / 4 + 16 / 4) / 2."""
    error = area_error(sums_of(block=[1, 2], error=[2.0, 4.0], variance=4.0))
    assert error is not None
    assert error.dispersion == 2.5
    assert (error.blocks, error.factor_68, error.factor_95) == (2, None, None)


def test_scenes_of_a_block_are_not_units() -> None:
    """Ten scenes of three blocks are three units, and each block weighs the same however many scenes show it."""
    error = area_error(sums_of(block=[1] * 8 + [2, 3], error=[2.0] * 8 + [4.0, 6.0], variance=4.0))
    assert error is not None
    assert error.blocks == 3
    assert error.dispersion == round((1 + 4 + 9) / 3, 6)
    assert error.factor_68 == round(3 / math.sqrt(14 / 3), 6)
    assert error.factor_95 is None


def test_independent_pixels_are_dispersed_by_the_threshold_alone() -> None:
    """Of p uniform in 0-1 a half is mapped: (1[p >= 0.5] - p)^2 is 1/12 on average, beside p (1 - p) of 1/6.

    Together 1.5 times the binomial variance.
    """
    rng = np.random.default_rng(5)
    p = rng.uniform(0, 1, 400_000)
    block = np.repeat(np.arange(400), 1000)
    error = area_error(block_sums(p, rng.random(p.size) < p, p >= 0.5, block, np.zeros_like(block)))
    assert error is not None
    assert error.dispersion == pytest.approx(1.5, abs=0.3)


def test_a_wrong_threshold_disperses_where_the_probability_is_right() -> None:
    """Sum p is as labelled, and 20 pixels are missing from the map: 400 / 4."""
    block = np.array([1, 2])
    sums = BlockSums(block, np.full(2, 100.0), np.full(2, 80.0), np.full(2, 4.0))
    error = area_error(sums)
    assert error is not None
    assert error.dispersion == 100.0


def test_without_a_block_or_without_an_error_nothing_is_said() -> None:
    assert area_error(sums_of(block=[], error=[], variance=4.0)) is None
    assert area_error(sums_of(block=[1, 2, 3], error=[0.0] * 3, variance=4.0)) is None
    assert area_error(sums_of(block=[1, 2, 3], error=[0.02] * 3, variance=1.0)) is None  # 0.0004: nothing was hard
    hard = area_error(sums_of(block=[1, 2, 3], error=[2.0] * 3, variance=4.0))
    assert hard is not None and hard.dispersion == 1.0


def sums_of(*, block: list[int], error: list[float], variance: float) -> BlockSums:
    """Blocks of 100 labelled pixels whose mapped pixels are off by `error`."""
    off = np.array(error, dtype=np.float64)
    labelled = np.full(len(off), 100.0)
    return BlockSums(np.array(block, dtype=np.int64), labelled, labelled + off, np.full(len(off), variance))
