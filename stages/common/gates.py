"""Quality gates: whether the model is worth more than no model. `gate` judges by them, and `report` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stages.common.params.area import GateName, GatesParams
from stages.common.tables.area import GateFinding, Gates
from stages.common.tables.evaluate import EvaluateMetrics

DECIMALS = 6
"""Decimals of a difference of two scores: 0.75 is 0.05 above 0.7, whatever a float makes of it."""


def all_findings(gates: Gates, scores: EvaluateMetrics, bounds: GatesParams) -> list[GateFinding]:
    """Return what all gates found: those on the areas, whose overrides `area` has applied, and that on the model."""
    quality = iou_over_baseline(scores, minimum=bounds.iou_over_baseline_min)
    return [*gates.findings, *apply_overrides([quality], bounds.override)]


def iou_over_baseline(scores: EvaluateMetrics, *, minimum: float) -> GateFinding:
    """Check that the model's held-out IoU is at least `minimum` above the better of two baselines without training.

    The unchanged outline is no such baseline: where the labels are that outline it is perfect by construction.
    """
    baselines = {
        "everything is glacier": scores.baseline_everything_is_glacier.iou,
        "threshold": scores.baseline_threshold.iou,
    }
    scored = {name: iou for name, iou in baselines.items() if iou is not None}
    if scores.model.iou is None or not scored:
        return GateFinding(gate="iou_over_baseline", passed=False, message="no held-out pixel to score: no IoU")
    best = max(scored, key=lambda name: scored[name])
    gain = round(scores.model.iou - scored[best], DECIMALS)
    message = (
        f"held-out IoU {scores.model.iou:.3f}, {gain:+.3f} against the better baseline ({best}: {scored[best]:.3f}); "
        f"at least {minimum:+.3f}"
    )
    return GateFinding(gate="iou_over_baseline", passed=gain >= minimum, message=message)


def apply_overrides(findings: Iterable[GateFinding], override: Sequence[GateName]) -> list[GateFinding]:
    """Return the findings; a failed one that `override` names passes, is marked as overridden and keeps its message."""
    return [
        finding.model_copy(update={"passed": True, "overridden": True})
        if not finding.passed and finding.gate in override
        else finding
        for finding in findings
    ]


def findings_table(findings: Sequence[GateFinding]) -> str:
    """Return one aligned line per gate: verdict, name and message."""
    width = max(len(finding.gate) for finding in findings)
    return "\n".join(f"{verdict(finding):<10}  {finding.gate:<{width}}  {finding.message}" for finding in findings)


def verdict(finding: GateFinding) -> str:
    """Return PASS, FAIL or OVERRIDDEN."""
    if finding.overridden:
        return "OVERRIDDEN"
    return "PASS" if finding.passed else "FAIL"
