"""The gates of a promotion: pure functions of the evidence on challenger and champion."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stages.common.gates import DECIMALS, iou_over_baseline
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
        """The score that versions are compared by: IoU, or recall where only ice is labelled (clean, debris)."""
        return self.recall if self.iou is None else self.iou


@dataclass(frozen=True)
class Evidence:
    """What one version is judged by, on the test blocks of today."""

    number: str
    scores: EvaluateMetrics
    slices: dict[Slice, SliceScore] = field(default_factory=dict)
    onnx_difference: float = 0.0
    sanity: Gates = field(default_factory=lambda: Gates(findings=[]))
    split_changes: tuple[str, ...] = ()
    """Names of what makes the split (parameters, outlines) and differed in its training from today."""


def read_slices(path: Path) -> dict[Slice, SliceScore]:
    """Return the rows of slices.csv; none where `evaluate` wrote none."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["slice"], row["group"]): SliceScore(
                float(row["labelled_km2"] or 0), _optional(row["iou"]), _optional(row["recall"])
            )
            for row in csv.DictReader(stream)
        }


def judge_challenger(challenger: Evidence, champion: Evidence | None, bounds: PromoteParams) -> list[GateFinding]:
    """Return every gate's finding; the first champion is compared with no other version."""
    findings = [
        held_out_gate(challenger),
        sanity_gate(challenger),
        baselines_gate(challenger, bounds),
        onnx_parity_gate(challenger, bounds),
        area_bias_gate(challenger, bounds),
        calibration_gate(challenger, bounds),
    ]
    return findings + ([] if champion is None else list(champion_gates(challenger, champion, bounds)))


def held_out_gate(challenger: Evidence) -> GateFinding:
    """Check that the test blocks of today were test blocks in its training too."""
    names = ", ".join(challenger.split_changes)
    message = (
        f"was trained with another split ({names}): it may have learned from the test blocks"
        if names
        else "learned from no test block"
    )
    return GateFinding(gate="held_out", passed=not names, message=message)


def sanity_gate(challenger: Evidence) -> GateFinding:
    """Check that no sanity gate failed on the areas of its run."""
    failed = [finding.gate for finding in challenger.sanity.findings if not finding.passed]
    message = f"failed on its areas: {', '.join(failed)}" if failed else "all gates on its areas passed"
    return GateFinding(gate="sanity", passed=not failed, message=message)


def baselines_gate(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """Check, by the rule of the stage `gate`, that it maps better than baselines that need no training."""
    finding = iou_over_baseline(challenger.scores, minimum=bounds.iou_over_baselines_min)
    return finding.model_copy(update={"gate": "beats_baselines"})


def onnx_parity_gate(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """Check that ONNX Runtime gives what Keras gave."""
    difference, limit = challenger.onnx_difference, bounds.onnx_difference_max
    message = f"Keras and ONNX differ by {difference:.1e}, limit {limit:.0e}"
    return GateFinding(gate="onnx_parity", passed=difference <= limit, message=message)


def area_bias_gate(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """Check that it maps neither far too much nor far too little."""
    bias, limit = challenger.scores.model.area_bias_pct, bounds.area_bias_pct_max
    passed = bias is not None and abs(bias) <= limit
    text = "no labelled ice" if bias is None else f"{bias:+.1f} %"
    return GateFinding(gate="area_bias", passed=passed, message=f"{text} on the test blocks, limit {limit:g} %")


def calibration_gate(challenger: Evidence, bounds: PromoteParams) -> GateFinding:
    """Check that about a share p of the pixels with a probability p is glacier."""
    error, limit = challenger.scores.expected_calibration_error, bounds.calibration_error_max
    message = f"expected calibration error {error:.3f}, limit {limit:g}"
    return GateFinding(gate="calibration", passed=error <= limit, message=message)


def champion_gates(challenger: Evidence, champion: Evidence, bounds: PromoteParams) -> Iterator[GateFinding]:
    """Check that it is not worse than the champion beyond a margin, pooled and on each slice with enough labelled ice.

    A champion that was trained with another split may have learned from today's test blocks: no challenger that has not
    could match it, so they are not compared, and the finding says so.
    """
    if champion.split_changes:
        names = ", ".join(champion.split_changes)
        message = f"not compared: champion (version {champion.number}) may have learned from the test blocks ({names})"
        yield GateFinding(gate="not_worse", passed=True, message=message)
        return
    yield _compare(POOLED, challenger.scores.model.iou, champion, champion.scores.model.iou, bounds.iou_margin)
    for key, score in challenger.slices.items():
        champion_score = champion.slices.get(key)
        if key[0] == POOLED[0] or champion_score is None or score.labelled_km2 < bounds.slice_km2_min:
            continue
        if champion_score.score is not None:
            yield _compare(key, score.score, champion, champion_score.score, bounds.slice_margin)


def findings_markdown(findings: Sequence[GateFinding]) -> str:
    """Return the findings as a table in Markdown."""
    rows = [
        f"| {'passed' if finding.passed else '**failed**'} | {finding.gate} | {finding.message} |"
        for finding in findings
    ]
    return "\n".join(["| | gate | finding |", "|---|---|---|", *rows])


def _compare(key: Slice, new: float | None, champion: Evidence, old: float | None, margin: float) -> GateFinding:
    gate = "not_worse" if key == POOLED else f"not_worse on {key[0]} {key[1]}"
    return GateFinding(
        gate=gate,
        passed=round((new or 0.0) - (old or 0.0), DECIMALS) >= -margin,
        message=f"{new or 0:.3f}; champion (version {champion.number}) {old or 0:.3f}, margin {margin:g}",
    )


def _optional(text: str) -> float | None:
    return float(text) if text else None
