"""Judge the yearly outlines against the least that they must beat: the old outline as the map of every year."""

from __future__ import annotations

from stages.area.gates.finding import finding_of
from stages.common.tables.area import GateFinding
from stages.common.tables.truth import TruthMetrics


def iou_over_old_outline(truth: TruthMetrics | None, *, minimum: float | None) -> list[GateFinding]:
    """Return a finding on how much better the outlines product is than the old outline; none where nobody can tell.

    That needs the truth, so a simulated site, and a bound. Where no glacier has moved the old outline is perfect, and
    the gate fails rightly: such a site needs no map of each year.
    """
    if truth is None or minimum is None or truth.unchanged_outline_iou is None:
        return []
    gain = truth.iou - truth.unchanged_outline_iou
    message = (
        f"IoU of the yearly outlines against the truth {truth.iou:.3f}, {gain:+.3f} against the old outline as the map "
        f"of every year; at least {minimum:+.3f}"
    )
    return [finding_of("iou_over_old_outline", gain >= minimum, message, "a map that is worth less than no map")]
