"""Quality gates: whether the model is worth more than no model. `gate` judges by them, and `report` shows them."""

from __future__ import annotations

from stages.common.overrides import let_pass
from stages.common.params_area import GatesParams
from stages.common.tables_area import GateFinding, Gates
from stages.common.tables_evaluate import EvaluateMetrics


def all_findings(gates: Gates, scores: EvaluateMetrics, bounds: GatesParams) -> list[GateFinding]:
    """Those on the areas, which `area` has let pass where it was told to, and those on the model's quality."""
    quality = iou_over_baseline(scores, minimum=bounds.iou_over_baseline_min)
    return [*gates.findings, *let_pass([quality], bounds.override)]


def iou_over_baseline(scores: EvaluateMetrics, *, minimum: float) -> GateFinding:
    """Held-out IoU of the model less that of the better of two baselines that need no training.

    Not the unchanged outline: where the labels are that outline it is perfect by construction.
    """
    baselines = {
        "everything is glacier": scores.baseline_everything_is_glacier.iou,
        "threshold": scores.baseline_threshold.iou,
    }
    known = {name: iou for name, iou in baselines.items() if iou is not None}
    if scores.model.iou is None or not known:
        return GateFinding(gate="iou_over_baseline", passed=False, message="no held-out pixel to score: no IoU")
    best = max(known, key=lambda name: known[name])
    gain = scores.model.iou - known[best]
    message = (
        f"held-out IoU {scores.model.iou:.3f}, {gain:+.3f} against the better baseline ({best}: {known[best]:.3f}); "
        f"at least {minimum:+.3f}"
    )
    return GateFinding(gate="iou_over_baseline", passed=gain >= minimum, message=message)
