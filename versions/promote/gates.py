"""The gates of a promotion: pure functions of what is known of challenger and champion."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stages.common.params.promote import PromoteParams
from stages.common.tables.area import GateFinding, Gates
from stages.common.tables.evaluate import EvaluateMetrics

POOLED = ("all", "all")
Slice = tuple[str, str]
"""Kind of slice and group in it, as (size class, 1-5 km2)."""


@dataclass(frozen=True)
class SliceScore:
    """Agreement on one slice of the test blocks."""

    labelled_km2: float
    iou: float | None
    recall: float | None

    @property
    def score(self) -> float | None:
        """What versions are compared by: IoU, or recall where only ice is looked at (clean, debris)."""
        return self.recall if self.iou is None else self.iou


@dataclass(frozen=True)
class Evidence:
    """What is known of one version, on the test blocks of today."""

    number: str
    scores: EvaluateMetrics
    slices: dict[Slice, SliceScore] = field(default_factory=dict)
    onnx_difference: float = 0.0
    sanity: Gates = field(default_factory=lambda: Gates(findings=[]))
    other_split: tuple[str, ...] = ()
    """What makes the split (parameters, outlines) and was otherwise in its training than it is today."""


def read_slices(path: Path) -> dict[Slice, SliceScore]:
    """Rows of slices.csv; none where `evaluate` wrote none."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["slice"], row["group"]): SliceScore(
                float(row["labelled_km2"] or 0), _number(row["iou"]), _number(row["recall"])
            )
            for row in csv.DictReader(stream)
        }


def judge(challenger: Evidence, champion: Evidence | None, bounds: PromoteParams) -> list[GateFinding]:
    """Every gate's finding; a first champion is compared with none."""
    found = [
        held_out(challenger),
        sanity(challenger),
        beats_baselines(challenger, bounds),
        onnx_parity(challenger, bounds),
        area_bias(challenger, bounds),
        calibration(challenger, bounds),
    ]
    return found + ([] if champion is None else list(not_worse(challenger, champion, bounds)))


def held_out(challenger: Evidence) -> GateFinding:
    """The test blocks of today were none of its training's."""
    names = ", ".join(challenger.other_split)
    said = (
        f"was trained with another split ({names}): it may have seen the test blocks" if names else "saw no test block"
    )
    return GateFinding(gate="held_out", passed=not names, message=said)


def sanity(challenger: Evidence) -> GateFinding:
    """No sanity gate failed on the areas of its run."""
    failed = [one.gate for one in challenger.sanity.findings if not one.passed]
    said = f"failed on its areas: {', '.join(failed)}" if failed else "all gates on its areas passed"
    return GateFinding(gate="sanity", passed=not failed, message=said)


def beats_baselines(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """It maps better than a threshold, and than calling everything glacier."""
    scores = challenger.scores
    iou = scores.model.iou or 0.0
    rivals = {
        "everything is glacier": scores.baseline_everything_is_glacier,
        scores.baseline_threshold_rule: scores.baseline_threshold,
        "the unchanged outline": scores.baseline_unchanged_outline,
    }
    best, rival = max((one.iou or 0.0, name) for name, one in rivals.items() if one is not None)
    return GateFinding(
        gate="beats_baselines",
        passed=iou > best + bounds.iou_over_baselines_min,
        message=f"IoU {iou:.3f}; {rival}: {best:.3f}",
    )


def onnx_parity(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """ONNX Runtime gives what Keras gave."""
    found = challenger.onnx_difference
    limit = bounds.onnx_difference_max
    return GateFinding(
        gate="onnx_parity", passed=found <= limit, message=f"Keras and ONNX differ by {found:.1e}, limit {limit:.0e}"
    )


def area_bias(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """It maps neither far too much nor far too little."""
    bias, limit = challenger.scores.model.area_bias_pct, bounds.area_bias_pct_max
    passed = bias is not None and abs(bias) <= limit
    said = "no labelled ice" if bias is None else f"{bias:+.1f} %"
    return GateFinding(gate="area_bias", passed=passed, message=f"{said} on the test blocks, limit {limit:g} %")


def calibration(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """Its probabilities mean what they say."""
    found, limit = challenger.scores.expected_calibration_error, bounds.calibration_error_max
    return GateFinding(
        gate="calibration", passed=found <= limit, message=f"expected calibration error {found:.3f}, limit {limit:g}"
    )


def not_worse(challenger: Evidence, champion: Evidence, bounds: PromoteParams) -> Iterator[GateFinding]:
    """Not worse than the champion beyond a margin, pooled and on any slice with enough labelled ice.

    A champion that was trained with another split may have learned from today's test blocks: no challenger that has not
    could stand beside it, so they are not compared, and the finding says so.
    """
    if champion.other_split:
        names = ", ".join(champion.other_split)
        said = f"not compared: champion (version {champion.number}) may have learned from the test blocks ({names})"
        yield GateFinding(gate="not_worse", passed=True, message=said)
        return
    yield _compared(POOLED, challenger.scores.model.iou, champion, champion.scores.model.iou, bounds.iou_margin)
    for key, one in challenger.slices.items():
        other = champion.slices.get(key)
        if key[0] == POOLED[0] or other is None or one.labelled_km2 < bounds.slice_km2_min:
            continue
        if other.score is not None:
            yield _compared(key, one.score, champion, other.score, bounds.slice_margin)


def as_markdown(findings: Sequence[GateFinding]) -> str:
    """Findings as a table."""
    rows = [f"| {'passed' if one.passed else '**failed**'} | {one.gate} | {one.message} |" for one in findings]
    return "\n".join(["| | gate | found |", "|---|---|---|", *rows])


def _compared(key: Slice, new: float | None, champion: Evidence, old: float | None, margin: float) -> GateFinding:
    gate = "not_worse" if key == POOLED else f"not_worse on {key[0]} {key[1]}"
    return GateFinding(
        gate=gate,
        passed=(new or 0.0) >= (old or 0.0) - margin,
        message=f"{new or 0:.3f}; champion (version {champion.number}) {old or 0:.3f}, margin {margin:g}",
    )


def _number(text: str) -> float | None:
    return float(text) if text else None
