"""Each gate of a promotion alone: what passes, what does not, and its message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stages.common.params.promote import PromoteParams
from stages.common.tables.area import GateFinding, Gates
from stages.common.tables.evaluate import EvaluateMetrics, Scores
from versions.promote.gates import Evidence, SliceScore, findings_markdown, judge_challenger, read_slices

BOUNDS = PromoteParams()


def scores(iou: float | None, bias: float | None = 0.0) -> Scores:
    return Scores(iou=iou, f1=0.8, precision=0.8, recall=0.8, area_bias_pct=bias, boundary_distance_m=None)


def evidence(iou: float = 0.8, *, bias: float | None = 2.0, error: float = 0.02, threshold: float = 0.6) -> Evidence:
    metrics = EvaluateMetrics(
        year=2020, test_area_km2=4.0, test_glacier_km2=1.5, model=scores(iou, bias),
        model_outside_ignore_band=scores(iou), baseline_everything_is_glacier=scores(0.3),
        baseline_threshold=scores(threshold), baseline_threshold_rule="NDSI >= 0.4",
        expected_calibration_error=error,
    )  # fmt: skip
    return Evidence(number="2", scores=metrics, onnx_difference=2e-6)


def failed(challenger: Evidence, champion: Evidence | None = None, bounds: PromoteParams = BOUNDS) -> list[str]:
    return [finding.gate for finding in judge_challenger(challenger, champion, bounds) if not finding.passed]


@pytest.mark.parametrize(
    ("challenger", "expected"),
    [
        pytest.param(evidence(), [], id="nothing is wrong"),
        pytest.param(evidence(threshold=0.81), ["beats_baselines"], id="a threshold is better"),
        pytest.param(evidence(bias=10.5), ["area_bias"], id="too much"),
        pytest.param(evidence(bias=-10.5), ["area_bias"], id="too little"),
        pytest.param(evidence(bias=None), ["area_bias"], id="no labelled ice"),
        pytest.param(evidence(error=0.11), ["calibration"], id="overconfident"),
        pytest.param(replace(evidence(), onnx_difference=2e-5), ["onnx_parity"], id="the export differs"),
        pytest.param(replace(evidence(), split_changes=("patches.test_fold",)), ["held_out"], id="another split"),
        pytest.param(
            replace(evidence(), sanity=Gates(findings=[GateFinding(gate="jump", passed=False, message="")])),
            ["sanity"],
            id="a sanity gate",
        ),
    ],
)
def test_each_gate_alone(challenger: Evidence, expected: list[str]) -> None:
    assert failed(challenger) == expected


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param(0.80, 0.70, [], id="better"),
        pytest.param(0.80, 0.81, [], id="worse within the margin"),
        pytest.param(0.80, 0.8101, ["not_worse"], id="worse beyond it"),
    ],
)
def test_pooled_scores_are_compared_within_a_margin(new: float, old: float, expected: list[str]) -> None:
    assert failed(evidence(new), evidence(old)) == expected


def test_one_bad_slice_refuses_what_is_better_on_the_whole() -> None:
    debris, small = ("surface", "debris"), ("size", "< 0.5 km2")
    champion = replace(evidence(0.7), slices={debris: SliceScore(3.0, None, 0.6), small: SliceScore(0.4, 0.5, 0.5)})
    challenger = replace(evidence(0.8), slices={debris: SliceScore(3.0, None, 0.5), small: SliceScore(0.4, 0.1, 0.1)})
    assert failed(challenger, champion) == ["not_worse on surface debris"]  # the small ones are too little to tell


def test_a_loss_of_exactly_the_margin_passes() -> None:
    assert 0.58 < 0.64 - 0.06, "as floats, it is more than the margin"
    bounds = BOUNDS.model_copy(update={"iou_margin": 0.06})
    assert failed(evidence(0.58, threshold=0.5), evidence(0.64), bounds) == []


def test_bounds_are_parameters() -> None:
    lenient = BOUNDS.model_copy(update={"iou_margin": 0.5})
    assert failed(evidence(0.65), evidence(0.9), lenient) == []


def test_slices_are_read_and_may_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "slices.csv"
    assert read_slices(path) == {}
    path.write_text(
        "slice,group,n_glaciers,labelled_km2,iou,f1,precision,recall,area_bias_pct,boundary_distance_m\n"
        "surface,clean,4,2.5,,,,0.91,,\nsize,1-5,3,6.0,0.82,0.9,0.9,0.9,1.5,40\n"
    )
    slices = read_slices(path)
    assert slices == {("surface", "clean"): SliceScore(2.5, None, 0.91), ("size", "1-5"): SliceScore(6.0, 0.82, 0.9)}
    assert [score.score for score in slices.values()] == [0.91, 0.82]


def test_findings_as_a_table() -> None:
    table = findings_markdown([GateFinding(gate="area_bias", passed=False, message="+20.0 %")])
    assert table.splitlines()[-1] == "| **failed** | area_bias | +20.0 % |"
