"""Held-out scores beside the baselines, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.tables.evaluate import EvaluateMetrics, Scores
from stages.report.numbers import Number, number

MEANINGS = (
    ("IoU", "ice in both map and labels over ice in either; 1 is perfect"),
    ("F1", "harmonic mean of precision and recall"),
    ("Precision", "share of mapped ice that is ice in the labels"),
    ("Recall", "share of the labelled ice that was mapped"),
    ("Area bias", "mapped area minus labelled area, in % of the labelled"),
    ("Boundary distance", "mean over both boundaries of the distance to the other, in metres"),
)

UNSCORED = "the labels are that outline: not scored"


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One line of the table."""

    name: str
    meaning: str
    cells: list[Number | None]
    """IoU, F1, precision, recall, area bias in %, boundary distance in metres; None where not defined."""
    note: str = ""
    """Stands in place of the cells."""
    best: bool = False
    """The model itself."""


def score_rows(scores: EvaluateMetrics) -> list[ScoreRow]:
    """The model, then the baselines it has to beat."""
    known = [
        ("This model", "over the test blocks, which training never saw", scores.model),
        (
            "This model, ignore band left out",
            "the same without the pixels near the outlines, where the labels themselves are uncertain",
            scores.model_outside_ignore_band,
        ),
        ("Everything is glacier", "baseline: calls each pixel ice", scores.baseline_everything_is_glacier),
        ("Threshold", f"baseline: {scores.baseline_threshold_rule}", scores.baseline_threshold),
    ]
    rows = [
        ScoreRow(name=name, meaning=meaning, cells=score_cells(one), best=index == 0)
        for index, (name, meaning, one) in enumerate(known)
    ]
    unchanged = scores.baseline_unchanged_outline
    last = ScoreRow(
        name="Unchanged outline",
        meaning="baseline: the prior outline has not changed",
        cells=[] if unchanged is None else score_cells(unchanged),
        note=UNSCORED if unchanged is None else "",
    )
    return [*rows, last]


def score_cells(scores: Scores) -> list[Number | None]:
    """Two decimals: a handful of test blocks supports no more."""
    values = (
        (scores.iou, 2),
        (scores.f1, 2),
        (scores.precision, 2),
        (scores.recall, 2),
        (scores.area_bias_pct, 1),
        (scores.boundary_distance_m, 0),
    )
    return [None if value is None else number(value, decimals) for value, decimals in values]
