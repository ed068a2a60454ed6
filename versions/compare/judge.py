"""Is B better? A paired bootstrap over test blocks.

Pixels of a block err together, so that blocks, not pixels, are drawn; both models are scored on the same draw, so that
a block which is hard for both favours neither (Efron and Tibshirani 1993, chapter 16; for held-out blocks: Roberts et
al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.display.numbers import signed_text
from stages.common.types import Float64Array
from versions.compare.tables import Block, ComparisonVerdict, Judgement, ScoreDifference

DRAWS, SEED = 10_000, 20_240
PERCENTILES = (2.5, 97.5)

FEWEST_BLOCKS = 5
"""With four, 1 in 64 draws is one block four times over, and the interval cannot show what other blocks would say."""

IOU, BIAS = "IoU", "absolute area bias"
BETTER: ComparisonVerdict = "B is better"
WORSE: ComparisonVerdict = "B is worse"
UNDECIDED: ComparisonVerdict = "cannot be told apart"


def judge_blocks(blocks: Sequence[Block], *, left_out: int = 0, unknown: str = "") -> Judgement:
    """Compare both models over test blocks.

    Parameters
    ----------
    blocks
        Test blocks that neither version has learned from.
    left_out
        Number of test blocks that are not among `blocks`, because a version has learned from them.
    unknown
        Why it is not known which blocks a version has learned from; then nothing is decided.
    """
    sums = np.array([[b.a_hit_km2, b.a_false_km2, b.b_hit_km2, b.b_false_km2, b.labelled_km2] for b in blocks]).reshape(
        -1, 5
    )
    reason = unknown or ("" if len(blocks) >= FEWEST_BLOCKS else _too_few(len(blocks)))
    whole, drawn = _scores(sums.sum(axis=0, keepdims=True)), None if reason else _scores(bootstrap_sums(sums))
    measures = [
        _score_difference(IOU, "", 1, whole[:, 0], None if drawn is None else drawn[:, 0]),
        _score_difference(BIAS, "%", -1, whole[:, 1], None if drawn is None else drawn[:, 1]),
    ]
    verdict = UNDECIDED if reason else joint_verdict([measure.verdict for measure in measures])
    return Judgement(
        verdict=verdict,
        statement=f"{UNDECIDED}: {reason}" if reason else _statement(verdict, measures, len(blocks)),
        blocks=len(blocks),
        draws=0 if reason else DRAWS,
        measures=measures,
        left_out=left_out,
    )


def bootstrap_sums(sums: Float64Array) -> Float64Array:
    """Return (DRAWS, K) totals of the rows of `sums`, (N, K), drawn with replacement, N at a time."""
    counts = np.random.default_rng(SEED).multinomial(len(sums), [1 / len(sums)] * len(sums), size=DRAWS)
    return np.asarray(counts @ sums)


def joint_verdict(verdicts: Sequence[ComparisonVerdict]) -> ComparisonVerdict:
    """Return better (worse) where one score says so and none says the contrary."""
    if BETTER in verdicts and WORSE not in verdicts:
        return BETTER
    return WORSE if WORSE in verdicts and BETTER not in verdicts else UNDECIDED


def _scores(totals: Float64Array) -> Float64Array:
    """Return IoU, and |mapped / labelled - 1| in %, as (N, score, side); NaN where no ice is labelled."""
    labelled = totals[:, 4]
    sides = []
    for hit, false in (totals[:, 0:2].T, totals[:, 2:4].T):
        with np.errstate(divide="ignore", invalid="ignore"):
            iou = np.where(labelled > 0, hit / (labelled + false), np.nan)
            bias = np.where(labelled > 0, 100 * np.abs((hit + false) / labelled - 1), np.nan)
        sides.append(np.stack([iou, bias], axis=1))
    return np.stack(sides, axis=2)


def _score_difference(
    name: str, unit: str, better: int, whole: Float64Array, drawn: Float64Array | None
) -> ScoreDifference:
    a, b = (None if np.isnan(value) else float(value) for value in whole[0])
    low, high = (None, None) if drawn is None else _interval(drawn[:, 1] - drawn[:, 0])
    verdict = UNDECIDED
    if low is not None and high is not None and (low > 0 or high < 0):
        verdict = BETTER if (low > 0) == (better > 0) else WORSE
    return ScoreDifference(
        name=name, unit=unit, better=1 if better > 0 else -1, a=a, b=b,
        difference=None if a is None or b is None else b - a, low=low, high=high, verdict=verdict,
    )  # fmt: skip


def _interval(differences: Float64Array) -> tuple[float | None, float | None]:
    finite = differences[np.isfinite(differences)]
    if not finite.size:
        return None, None
    low, high = np.percentile(finite, PERCENTILES)
    return float(low), float(high)


def _statement(verdict: ComparisonVerdict, measures: Sequence[ScoreDifference], blocks: int) -> str:
    parts = [
        f"{score.name} {_signed(score, score.difference)} "
        f"(95 %: {_signed(score, score.low)} to {_signed(score, score.high)})"
        for score in measures
        if score.difference is not None and score.low is not None and score.high is not None
    ]
    return f"{verdict} on {blocks} test blocks: {'; '.join(parts) or 'no ice is labelled there'}"


def _signed(score: ScoreDifference, value: float) -> str:
    return f"{signed_text(value, 1)} {score.unit}" if score.unit else signed_text(value, 3)


def _too_few(count: int) -> str:
    blocks = "is 1 test block" if count == 1 else f"are {count} test blocks"
    return f"there {blocks}, and a bootstrap needs at least {FEWEST_BLOCKS}"
