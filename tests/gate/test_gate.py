from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import tiny
from stages.common.gates import findings_table, iou_over_baseline
from stages.common.run.outputs import write_json
from stages.common.run.stage import main
from stages.common.tables.area import GateFinding, Gates
from stages.common.tables.evaluate import EvaluateMetrics, Scores
from stages.common.tables.track import Tracked
from stages.gate.contract import CONTRACT
from stages.gate.decide import decide


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scores(iou: float | None) -> Scores:
    return Scores(iou=iou, f1=iou, precision=iou, recall=iou, area_bias_pct=0.0, boundary_distance_m=None)


def evaluated(model: float | None, everything: float | None = 0.54, threshold: float | None = 0.58) -> EvaluateMetrics:
    return EvaluateMetrics(
        year=2020, test_area_km2=100.0, test_glacier_km2=54.0, model=scores(model),
        model_outside_ignore_band=scores(model), baseline_everything_is_glacier=scores(everything),
        baseline_threshold=scores(threshold), baseline_threshold_rule="brightness > 0.5",
        expected_calibration_error=0.1,
    )  # fmt: skip


def write_inputs(*findings: GateFinding, model_iou: float = 0.8, override: tuple[str, ...] = ()) -> None:
    bounds = {"gates": {"iou_over_baseline_min": 0.0, "override": list(override)}}
    tiny.write_params(Path(), tiny.params(Path("source"), [2020]) | bounds)
    write_json(Path("artifacts/area/gates.json"), Gates(findings=list(findings)))
    write_json(Path("artifacts/track/state.json"), Tracked(state_md5="0" * 32))
    write_json(Path("metrics/evaluate.json"), evaluated(model_iou))


GOOD = GateFinding(gate="missing_years", passed=True, message="0 year(s) missing")
BAD = GateFinding(gate="glacier_fraction_of_aoi", passed=False, message="glacier fills 101 %: everything is ice")


def test_all_gates_passed_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(GOOD)
    assert main(CONTRACT, decide, []) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["PASS", "missing_years"], ["PASS", "iou_over_baseline"]]


def test_a_failed_gate_is_1_and_said_with_its_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_inputs(GOOD, BAD)
    assert main(CONTRACT, decide, []) == 1
    printed = capsys.readouterr()
    assert "FAIL        glacier_fraction_of_aoi  glacier fills 101 %" in printed.out
    assert "1 of 3 gates failed" in printed.err
    assert BAD.message in printed.err
    assert GOOD.message not in printed.err


def test_a_model_worse_than_a_baseline_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(GOOD, model_iou=0.57)
    assert main(CONTRACT, decide, []) == 1
    assert "-0.010 against the better baseline (threshold: 0.580)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "baseline", "passed"), [(0.75, 0.7, True), (0.85, 0.8, True), (0.7, 0.65, True), (0.699999, 0.65, False)]
)
def test_a_gain_of_exactly_the_minimum_passes(model: float, baseline: float, passed: bool) -> None:
    assert iou_over_baseline(evaluated(model, 0.1, baseline), minimum=0.05).passed == passed


LET_PASS = BAD.model_copy(update={"passed": True, "overridden": True})
"""As `area` writes a failed gate that gates.override names."""


def test_a_gate_that_an_expert_let_pass_is_0_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(GOOD, LET_PASS)
    assert main(CONTRACT, decide, []) == 0
    assert "OVERRIDDEN  glacier_fraction_of_aoi  glacier fills 101 %" in capsys.readouterr().out


@pytest.mark.parametrize(("override", "code", "word"), [((), 1, "FAIL"), (("iou_over_baseline",), 0, "OVERRIDDEN")])
def test_the_models_quality_can_be_let_pass_too(
    override: tuple[str, ...], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_inputs(GOOD, model_iou=0.57, override=override)
    assert main(CONTRACT, decide, []) == code
    assert f"{word:<10}  iou_over_baseline" in capsys.readouterr().out


def test_an_override_that_is_not_needed_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(GOOD, LET_PASS, override=("missing_years", "glacier_fraction_of_aoi"))
    assert main(CONTRACT, decide, []) == 0
    assert "gates.override names missing_years, which did not fail" in capsys.readouterr().out


def test_an_override_of_no_gate_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    write_inputs(GOOD, override=("missing_year",))
    assert main(CONTRACT, decide, []) == 2
    assert "gates.override.0" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["artifacts/area/gates.json", "metrics/evaluate.json", "artifacts/track/state.json"])
@pytest.mark.parametrize("content", [None, "{", '{"findings": 3}'], ids=["absent", "no JSON", "wrong content"])
def test_a_broken_input_is_2(path: str, content: str | None) -> None:
    write_inputs(GOOD)
    Path(path).unlink()
    if content is not None:
        Path(path).write_text(content)
    assert main(CONTRACT, decide, []) == 2


@pytest.mark.parametrize(
    ("metrics", "minimum", "passed"),
    [
        pytest.param(evaluated(0.80), 0.0, True, id="better"),
        pytest.param(evaluated(0.58), 0.0, True, id="as good"),
        pytest.param(evaluated(0.56), 0.0, False, id="between the baselines"),
        pytest.param(evaluated(0.70), 0.2, False, id="not better enough"),
        pytest.param(evaluated(None), 0.0, False, id="nothing to score"),
        pytest.param(evaluated(0.55, threshold=None), 0.0, True, id="one baseline"),
        pytest.param(evaluated(0.55, None, None), 0.0, False, id="no baseline"),
    ],
)
def test_iou_over_baseline(metrics: EvaluateMetrics, minimum: float, passed: bool) -> None:
    assert iou_over_baseline(metrics, minimum=minimum).passed is passed


def test_the_table_is_aligned() -> None:
    lines = findings_table([GOOD, BAD]).splitlines()
    assert [line.index(finding.message) for line, finding in zip(lines, (GOOD, BAD), strict=True)] == [37, 37]
