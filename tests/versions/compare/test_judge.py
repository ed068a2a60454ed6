"""The verdict on made-up blocks, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versions.compare.judge import BETTER, UNDECIDED, WORSE, draw, judge, together
from versions.compare.tables import Block


def block(index: int, *, a_hit: float, b_hit: float, a_false: float = 0.0, b_false: float = 0.0) -> Block:
    """A block with 10 km2 of labelled ice."""
    return Block(
        row=index, column=0, a_hit_km2=a_hit, a_false_km2=a_false, b_hit_km2=b_hit, b_false_km2=b_false,
        labelled_km2=10.0,
    )  # fmt: skip


def test_a_constant_gain_is_found_and_is_the_whole_interval() -> None:
    found = judge([block(i, a_hit=6, b_hit=8) for i in range(6)])
    iou, bias = found.measures
    assert (iou.a, iou.b) == pytest.approx((0.6, 0.8))
    assert (iou.low, iou.high) == pytest.approx((0.2, 0.2))
    assert (bias.a, bias.b) == pytest.approx((40, 20))
    assert (bias.low, bias.high) == pytest.approx((-20, -20))
    assert found.verdict == BETTER
    assert judge([block(i, a_hit=8, b_hit=6) for i in range(6)]).verdict == WORSE


def test_gains_here_and_losses_there_decide_nothing() -> None:
    blocks = [block(i, a_hit=6 + 2 * (i % 2), b_hit=8 - 2 * (i % 2)) for i in range(8)]
    found = judge(blocks)
    assert found.verdict == UNDECIDED
    iou = found.measures[0]
    assert iou.difference == pytest.approx(0)
    assert iou.low is not None and iou.high is not None
    assert iou.low < 0 < iou.high


def test_better_in_one_and_worse_in_the_other_decides_nothing() -> None:
    """B hits more, and maps so much beyond that its area is further off."""
    found = judge([block(i, a_hit=7, b_hit=10, a_false=3, b_false=4) for i in range(6)])
    assert [one.verdict for one in found.measures] == [BETTER, WORSE]
    assert found.verdict == UNDECIDED


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_blocks_are_said_to_be_too_few(count: int) -> None:
    found = judge([block(i, a_hit=1, b_hit=9) for i in range(count)])
    assert found.verdict == UNDECIDED
    assert "at least 5" in found.statement
    assert found.measures[0].low is None


def test_where_no_ice_is_labelled_nothing_is_scored() -> None:
    bare = [block(i, a_hit=0, b_hit=0).model_copy(update={"labelled_km2": 0.0, "a_false_km2": 1.0}) for i in range(6)]
    found = judge(bare)
    assert found.measures[0].a is None
    assert found.verdict == UNDECIDED


def test_the_draws_have_the_variance_of_a_mean_of_blocks() -> None:
    """The bootstrap's own: variance of the total is N times the population variance of the blocks."""
    sums = np.random.default_rng(1).normal(5, 2, (40, 1))
    assert draw(sums).var() == pytest.approx(40 * sums.var(), rel=0.05)
    assert (draw(sums) == draw(sums)).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.5, 10), min_size=5, max_size=9))
def test_a_model_against_itself_is_never_told_apart(hits: list[float]) -> None:
    found = judge([block(i, a_hit=hit, b_hit=hit, a_false=0.3, b_false=0.3) for i, hit in enumerate(hits)])
    assert found.verdict == UNDECIDED
    assert (found.measures[0].low, found.measures[0].high) == (0, 0)


@given(st.lists(st.sampled_from([BETTER, WORSE, UNDECIDED]), min_size=1, max_size=4))
def test_turning_the_sides_turns_the_verdict(verdicts: list[str]) -> None:
    turned = {BETTER: WORSE, WORSE: BETTER, UNDECIDED: UNDECIDED}
    assert together([turned[one] for one in verdicts]) == turned[together(verdicts)]
