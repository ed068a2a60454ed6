"""The whole DAG, run by DVC on a small site: what runs, what does not, what survives a kill."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common.tables.area import AreaRow
from tests.pipeline.conftest import STAGES, lock
from tests.repository import done, pin_data, run, stages_run


def set_years(site: Path, years: list[int]) -> None:
    content = tiny.params(site / "source", years)
    source = yaml.safe_load((site / "params.yaml").read_text())["ingest"]
    content["ingest"]["outlines"] = source["outlines"]
    tiny.write_params(site, content)


def test_every_file_of_the_stage_table_is_there(site: Path) -> None:
    areas = (site / "artifacts/area/glacier_area_by_year.csv").read_text().splitlines()
    assert areas[0].split(",") == list(AreaRow.model_fields)
    assert [line.split(",")[:2] for line in areas[1:]] == [[f"{y}", f"{y}-10-15"] for y in (2020, 2021, 2022)]
    for name in (
        "artifacts/prepare/2020/scene.tif", "artifacts/labels/glacier_id.tif", "artifacts/patches/2020/split.geojson",
        "artifacts/train/model.onnx", "artifacts/evaluate/precision_recall.csv",
        "artifacts/predict/2022/probability.tif",
        "artifacts/area/outlines_2021.gpkg", "artifacts/area/trend.json", "artifacts/area/gates.json",
        "artifacts/report/glacier_retreat_graph.png", "artifacts/report/glacier_retreat_timelapse.gif",
        "artifacts/report/prediction_gallery.png", "artifacts/report/index.html", "artifacts/track/state.json",
        "metrics/train.json", "metrics/evaluate.json", "metrics/area.json",
    ):  # fmt: skip
        assert (site / name).stat().st_size > 0, name
    assert not list((site / "artifacts/.tmp").iterdir())


def test_mapped_areas_are_near_the_planted_ones(site: Path) -> None:
    area_by_year_km2 = json.loads((site / "metrics/area.json").read_text())["area_by_year_km2"]
    for index, year in enumerate(("2020", "2021", "2022")):
        planted = sum(shape.area for shape in tiny.outlines(shrink=1 - 0.02 * index)) / 1e6
        assert area_by_year_km2[year] == pytest.approx(planted, rel=0.12)


def test_again_runs_nothing(site: Path) -> None:
    before = lock(site)
    assert stages_run(done(site, "dvc", "repro")) == set()
    assert lock(site) == before


def test_a_new_year_runs_its_own_stages_and_what_gathers_them(site: Path) -> None:
    tiny.write_scene(site / "source/2023.tif", tiny.scene(2023, shrink=0.94))
    set_years(site, [2020, 2021, 2022, 2023])
    pin_data(site)
    ran = stages_run(done(site, "dvc", "repro"))
    assert ran == {"prepare@2023", "predict@2023", "area", "report", "track", "gate"}


def test_a_year_less_runs_what_gathers_years_and_a_failed_gate_fails_the_run_after_the_report(site: Path) -> None:
    set_years(site, [2020, 2021])
    pin_data(site)
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["gates"]["iou_over_baseline_min"] = 0.9
    tiny.write_params(site, content)
    before = (site / "artifacts/report/index.html").read_bytes()
    result = run(site, str(tiny.ROOT / "bin/repro"), str(site))
    assert result.returncode == 1
    assert re.search(r"^FAIL +iou_over_baseline", result.stdout, re.M)
    assert stages_run(result.stdout + result.stderr) == {"area", "report", "track", "gate"}
    assert "removing artifacts/predict/2022" in result.stdout
    assert not (site / "artifacts/predict/2022").exists()
    assert (site / "artifacts/report/index.html").read_bytes() != before


def test_a_killed_stage_leaves_nothing_and_the_next_run_completes(site: Path) -> None:
    before = lock(site)
    shutil.rmtree(site / "artifacts/predict/2021")
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.predict", "--year", "2021"], cwd=site, stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": "."},
    )  # fmt: skip
    draft = site / "artifacts/.tmp/artifacts-predict-2021"
    deadline = time.monotonic() + 60
    while not draft.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert draft.exists(), "killed too late to prove anything"
    assert not (site / "artifacts/predict/2021").exists()
    done(site, "dvc", "repro", "--force", "--single-item", "predict@2021")  # forced: DVC would take it from its cache
    assert (site / "artifacts/predict/2021/mask.tif").exists()
    assert not draft.exists()
    assert lock(site) == before


def test_from_nothing_the_same_lock_comes_out(site: Path) -> None:
    before = lock(site)
    shutil.rmtree(site / "artifacts")
    shutil.rmtree(site / ".dvc/cache/runs")
    for out in (site / ".dvc/cache/files").rglob("*"):
        out.chmod(0o755 if out.is_dir() else 0o644)
    shutil.rmtree(site / ".dvc/cache/files")
    ran = stages_run(done(site, sys.executable, str(tiny.ROOT / "bin/repro"), str(site)))  # years side by side
    assert {"train", "prepare@2020", "prepare@2022", "predict@2022", "area", "report"} <= ran
    assert lock(site) == before


@pytest.mark.parametrize("name", ["ingest", *STAGES])
def test_a_stage_describes_its_contract(name: str, tmp_path: Path) -> None:
    result = run(tiny.ROOT, sys.executable, "-m", f"stages.{name}", "--describe")
    assert result.returncode == 0, result.stderr
    described = json.loads(result.stdout)
    assert described["title"] == name
    assert described["$schema"].startswith("https://json-schema.org/")
    assert set(described["properties"]) >= {"inputs", "outputs"}
