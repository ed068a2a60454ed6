"""Held-out scores beside the baselines, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display.numbers import number_text
from stages.common.tables.evaluate import EvaluateMetrics, ReliabilityRow, Scores
from stages.report.numbers import Number, plain_number

MEANINGS = (
    ("IoU", "ice in both map and labels over ice in either; 1 is perfect"),
    ("F1", "harmonic mean of precision and recall"),
    ("Precision", "share of mapped ice that is ice in the labels"),
    ("Recall", "share of the labelled ice that was mapped"),
    ("Area bias", "mapped area minus labelled area, in % of the labelled area"),
    ("Boundary distance", "mean distance between mapped and labelled boundary, in metres, measured from both"),
)

PIXELS_MIN = 100
"""Pixels below which the share that is glacier says little."""

UNSCORED = "not scored: the labels are this outline itself"


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One line of the table."""

    name: str
    meaning: str
    cells: list[Number | None]
    """IoU, F1, precision, recall, area bias in %, boundary distance in metres; None where not defined."""
    note: str = ""
    """Text in place of the cells."""
    best: bool = False
    """True for the model itself, whose row is emphasised."""


def score_rows(scores: EvaluateMetrics) -> list[ScoreRow]:
    """Return the rows of the model, then those of the baselines it has to beat."""
    scored_maps = [
        ("This model", "over the held-out blocks, which training never saw", scores.model),
        (
            "This model without the ignore band",
            "the same without the pixels near the outlines, where the labels themselves are uncertain",
            scores.model_outside_ignore_band,
        ),
        ("Everything is glacier", "baseline: calls every pixel ice", scores.baseline_everything_is_glacier),
        ("Threshold", f"baseline: {scores.baseline_threshold_rule}", scores.baseline_threshold),
    ]
    rows = [
        ScoreRow(name=name, meaning=meaning, cells=score_cells(map_scores), best=index == 0)
        for index, (name, meaning, map_scores) in enumerate(scored_maps)
    ]
    unchanged = ScoreRow(
        name="Unchanged outline", meaning="baseline: the prior outline has not changed", cells=[], note=UNSCORED
    )
    return [*rows, unchanged]


def score_cells(scores: Scores) -> list[Number | None]:
    """Round the scores, to two decimals at most: a handful of held-out blocks supports no more."""
    values = (
        (scores.iou, 2),
        (scores.f1, 2),
        (scores.precision, 2),
        (scores.recall, 2),
        (scores.area_bias_pct, 1),
        (scores.boundary_distance_m, 0),
    )
    return [None if value is None else plain_number(value, decimals) for value, decimals in values]


def deviation_in_words(rows: list[ReliabilityRow]) -> str:
    """Name the probability that differs most from the share that is glacier; empty without enough pixels."""
    counted = [row for row in rows if row.kind == "calibrated" and row.pixels >= PIXELS_MIN]
    if not counted:
        return ""
    worst = max(counted, key=lambda row: abs(row.probability - row.observed_fraction))
    too = "too sure of ice" if worst.probability > worst.observed_fraction else "not sure enough of ice"
    probability, share = number_text(worst.probability, 2), number_text(100 * worst.observed_fraction, 0)
    return f"It is farthest off at a probability of {probability}, where {share} % of the pixels are glacier: {too}."
