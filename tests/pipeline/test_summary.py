"""``bin/summary`` prints areas, trend, gates and where to look."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common.run.outputs import write_json
from stages.common.run.records import read_document
from stages.common.tables.area import AreaSeries, GateFinding, Gates
from tests.report import report_inputs

REPORTED = ("glacier_retreat_graph.png", "glacier_retreat_timelapse.gif", "index.html")

loader = SourceFileLoader("bin_summary", str(tiny.ROOT / "bin/summary"))
bin_summary = module_from_spec(spec_from_loader("bin_summary", loader))
loader.exec_module(bin_summary)


def run_summary(folder: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Call the program as a person does, in a process of its own."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [str(tiny.ROOT / "bin/summary"), str(folder)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def summary(site: Path) -> str:
    """Return what the program prints in the site's folder."""
    with contextlib.chdir(site), contextlib.redirect_stdout(io.StringIO()) as words:
        assert bin_summary.main([str(site)]) == 0
    return words.getvalue()


def reported_site(folder: Path, years: tuple[int, ...], *, simulated: bool) -> Path:
    """A site whose report is drawn, as far as its files' names go."""
    site = report_inputs.make_artifacts(folder, years, simulated=simulated)
    (site / "artifacts/report").mkdir()
    for name in REPORTED:
        (site / "artifacts/report" / name).touch()
    return site


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("simulated")
    reported_site(root / "site", report_inputs.NINE_YEARS, simulated=True)
    done = run_summary(root / "site", cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_year_has_its_area_interval_and_error(simulated: str) -> None:
    lines = [line for line in simulated.splitlines() if line.strip().startswith("20")]
    assert [line.split()[0] for line in lines] == [str(year) for year in report_inputs.NINE_YEARS]
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["2015", "5.22", "0.12", "4.63", "5.43", "-3.8", "%"]
    assert lines[5].split()[:4] == ["2021", "3.27", "0.12", "0.71"]


def test_half_an_interval_that_stops_at_no_ice_is_its_upper_half(tmp_path: Path) -> None:
    site = reported_site(tmp_path / "site", (2024,), simulated=False)
    path = site / "artifacts/area/series.json"
    series = read_document(path, AreaSeries)
    cut = series.years[0].model_copy(update={"glacier_area_km2": 0.05, "area_low_km2": 0.0, "area_high_km2": 0.25})
    write_json(path, series.model_copy(update={"years": [cut]}))
    (line,) = (text for text in summary(site).splitlines() if text.startswith("  2024"))
    assert line.split()[:3] == ["2024", "0.05", "0.20"]


def test_trend_truth_and_failed_gates_are_printed(simulated: str) -> None:
    assert "SIMULATED DATA: NOT A MEASUREMENT" in simulated
    words = " ".join(simulated.split())
    assert "Change from the images alone: Lost 0.4 ± 0.1 km²" in words
    assert "Trend common area, from the images alone: The common area changed by -0.23 km² per year" in words
    assert "Truth outlines: pooled IoU 0.800, mean absolute area error 3.8 %" in words
    assert "1 of 5 FAILED" in simulated
    assert "OVERRIDDEN missing_years" in simulated
    assert "FAIL annual_change: 7.1 % from 2017 to 2018, at most 5 %" in simulated


def test_paths_can_be_typed_where_it_was_called(simulated: str) -> None:
    assert "  report      site/artifacts/report/index.html\n" in simulated
    assert "make ui" in simulated


def test_a_gate_that_an_expert_let_pass_is_counted(tmp_path: Path) -> None:
    site = reported_site(tmp_path / "site", (2024,), simulated=False)
    findings = [GateFinding(gate="sigma", passed=True, overridden=True, message="one sigma is 31 % of the area")]
    write_json(site / "artifacts/area/gates.json", Gates(findings=findings))
    output = " ".join(summary(site).split())
    assert "1 of 2 passed, 1 OVERRIDDEN by params.yaml: gates.override" in output
    assert "OVERRIDDEN sigma: one sigma is 31 % of the area" in output


def test_a_model_below_its_baselines_is_counted(tmp_path: Path) -> None:
    site = reported_site(tmp_path / "site", (2024,), simulated=False)
    params = yaml.safe_load((site / "params.yaml").read_text())
    params["gates"]["iou_over_baseline_min"] = 0.99
    (site / "params.yaml").write_text(yaml.safe_dump(params))
    output = summary(site)
    assert "1 of 5 FAILED" in output
    assert "FAIL iou_over_baseline: held-out IoU 0.812" in output


def test_a_real_site_is_printed_without_truth(tmp_path: Path) -> None:
    site = reported_site(tmp_path / "site", (2024,), simulated=False)
    output = summary(site)
    assert "  report      artifacts/report/index.html\n" in output
    assert "all 5 passed" in output
    assert not {"simulated", "true", "error"} & set(output.lower().split())


def test_a_series_without_years_is_refused(tmp_path: Path) -> None:
    for name in ("area/glacier_area_by_year.csv", *(f"report/{name}" for name in REPORTED)):
        (tmp_path / "artifacts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "artifacts" / name).touch()
    (tmp_path / "artifacts/area/series.json").write_text('{"years": [], "glaciers": [], "glacier_trends": []}')
    tiny.write_params(tmp_path, tiny.params(tmp_path, [2020]))
    done = run_summary(tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "the series has no year" in done.stderr


def test_without_results_it_says_what_to_do(tmp_path: Path) -> None:
    done = run_summary(tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "artifacts/area/glacier_area_by_year.csv" in done.stderr
    assert "make repro" in done.stderr


def test_sigma_is_rounded_once(tmp_path: Path) -> None:
    """Of ends that are rounded, 57.8 and 60.4, half of the interval would be 2.6."""
    site = reported_site(tmp_path / "site", (2024,), simulated=False)
    path = site / "artifacts/area/series.json"
    series = read_document(path, AreaSeries)
    exact = {"glacier_area_km2": 57.751, "area_low_km2": 55.0, "area_high_km2": 60.416}
    write_json(path, series.model_copy(update={"years": [series.years[0].model_copy(update=exact)]}))
    (line,) = (text for text in summary(site).splitlines() if text.startswith("  2024"))
    assert line.split()[:3] == ["2024", "57.8", "2.7"]
