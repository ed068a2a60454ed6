"""The verdict on invented blocks, where the answer is known."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versions.compare import judge
from versions.compare.judge import BETTER, FEWEST_BLOCKS, UNDECIDED, WORSE, bootstrap_sums, joint_verdict, judge_blocks
from versions.compare.tables import Block


def block(index: int, *, a_hit: float, b_hit: float, a_false: float = 0.0, b_false: float = 0.0) -> Block:
    """A block with 10 km2 of labelled ice."""
    return Block(
        row=index, column=0, a_hit_km2=a_hit, a_false_km2=a_false, b_hit_km2=b_hit, b_false_km2=b_false,
        labelled_km2=10.0,
    )  # fmt: skip


def test_a_constant_gain_is_the_verdict_and_is_the_whole_interval() -> None:
    judgement = judge_blocks([block(i, a_hit=6, b_hit=8) for i in range(6)])
    iou, bias = judgement.measures
    assert (iou.a, iou.b) == pytest.approx((0.6, 0.8))
    assert (iou.low, iou.high) == pytest.approx((0.2, 0.2))
    assert (bias.a, bias.b) == pytest.approx((40, 20))
    assert (bias.low, bias.high) == pytest.approx((-20, -20))
    assert judgement.verdict == BETTER
    assert judge_blocks([block(i, a_hit=8, b_hit=6) for i in range(6)]).verdict == WORSE


def test_gains_and_losses_of_the_same_size_decide_nothing() -> None:
    blocks = [block(i, a_hit=6 + 2 * (i % 2), b_hit=8 - 2 * (i % 2)) for i in range(8)]
    judgement = judge_blocks(blocks)
    assert judgement.verdict == UNDECIDED
    iou = judgement.measures[0]
    assert iou.difference == pytest.approx(0)
    assert iou.low is not None and iou.high is not None
    assert iou.low < 0 < iou.high


def test_better_in_one_and_worse_in_the_other_decides_nothing() -> None:
    """B hits more, and maps so much beyond that its area is further off."""
    judgement = judge_blocks([block(i, a_hit=7, b_hit=10, a_false=3, b_false=4) for i in range(6)])
    assert [score.verdict for score in judgement.measures] == [BETTER, WORSE]
    assert judgement.verdict == UNDECIDED


def test_the_share_of_draws_that_are_one_block_alone_is_as_the_bound_says() -> None:
    blocks = FEWEST_BLOCKS - 1
    draws = list(product(range(blocks), repeat=blocks))
    alone = sum(len(set(draw)) == 1 for draw in draws)
    assert f"1 in {len(draws) // alone} draws" in Path(str(judge.__file__)).read_text()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_blocks_are_said_to_be_too_few(count: int) -> None:
    judgement = judge_blocks([block(i, a_hit=1, b_hit=9) for i in range(count)])
    assert judgement.verdict == UNDECIDED
    assert "at least 5" in judgement.statement
    assert judgement.measures[0].low is None


def test_where_no_ice_is_labelled_nothing_is_scored() -> None:
    bare = [block(i, a_hit=0, b_hit=0).model_copy(update={"labelled_km2": 0.0, "a_false_km2": 1.0}) for i in range(6)]
    judgement = judge_blocks(bare)
    assert judgement.measures[0].a is None
    assert judgement.verdict == UNDECIDED


def test_the_draws_have_the_variance_of_a_mean_of_blocks() -> None:
    """The bootstrap's own: variance of the total is N times the population variance of the blocks."""
    sums = np.random.default_rng(1).normal(5, 2, (40, 1))
    assert bootstrap_sums(sums).var() == pytest.approx(40 * sums.var(), rel=0.05)
    assert (bootstrap_sums(sums) == bootstrap_sums(sums)).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.5, 10), min_size=5, max_size=9))
def test_a_model_against_itself_is_never_told_apart(hits: list[float]) -> None:
    judgement = judge_blocks([block(i, a_hit=hit, b_hit=hit, a_false=0.3, b_false=0.3) for i, hit in enumerate(hits)])
    assert judgement.verdict == UNDECIDED
    assert (judgement.measures[0].low, judgement.measures[0].high) == (0, 0)


@given(st.lists(st.sampled_from([BETTER, WORSE, UNDECIDED]), min_size=1, max_size=4))
def test_turning_the_sides_turns_the_verdict(verdicts: list[str]) -> None:
    turned = {BETTER: WORSE, WORSE: BETTER, UNDECIDED: UNDECIDED}
    assert joint_verdict([turned[verdict] for verdict in verdicts]) == turned[joint_verdict(verdicts)]
