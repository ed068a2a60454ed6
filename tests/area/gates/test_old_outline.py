"""The outlines product against the old outline as the map of every year."""

from __future__ import annotations

import pytest

from stages.area.gates.old_outline import iou_over_old_outline
from stages.common.tables.truth import TruthMetrics


def truth(iou: float, outline: float | None) -> TruthMetrics:
    return TruthMetrics(
        iou=iou, mean_absolute_error_pct=1.0, unchanged_outline_iou=outline,
        unchanged_outline_mean_absolute_error_pct=None, true_slope_km2_per_year=None, slope_ratio=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("iou", "outline", "minimum", "passed"),
    [(0.95, 0.92, 0.0, True), (0.92, 0.92, 0.0, True), (0.91, 0.92, 0.0, False), (0.95, 0.92, 0.05, False)],
)
def test_a_map_that_is_worth_less_than_none_fails(iou: float, outline: float, minimum: float, passed: bool) -> None:
    (finding,) = iou_over_old_outline(truth(iou, outline), minimum=minimum)
    assert finding.passed is passed
    assert finding.message.startswith(f"IoU of the yearly outlines against the truth {iou:.3f}")
    assert finding.message.endswith("worth less than no map") is not passed


@pytest.mark.parametrize(("known", "minimum"), [(None, 0.0), (truth(0.9, None), 0.0), (truth(0.8, 0.9), None)])
def test_nothing_is_judged_without_truth_outline_or_bound(known: TruthMetrics | None, minimum: float | None) -> None:
    assert iou_over_old_outline(known, minimum=minimum) == []
