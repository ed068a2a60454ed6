"""The whole DAG, run by DVC on a small site: what runs, what does not, what is refused, what survives a kill."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import yaml
from shapely.geometry import box

from review.record import version_of
from review.take_in import take_in
from sandbox import tiny
from stages.common.tables.area import AreaRow
from tests.repository import done, pin_data, run, stages_run, start_dvc

STAGES = ("prepare", "labels", "patches", "train", "evaluate", "predict", "area", "report", "track", "gate")


def stage(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(site, sys.executable, "-m", *arguments)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """The site after its first run; tests work on copies."""
    site = tiny.make_site(tmp_path_factory.mktemp("built"))
    put_store(site, empty_database)
    start_dvc(site)
    pin_data(site)
    ran = stages_run(done(site, "dvc", "repro"))
    assert {name.split("@")[0] for name in ran} == set(STAGES)
    return site


@pytest.fixture
def site(built: Path, tmp_path: Path, empty_database: Path) -> Path:
    copy = tmp_path / "site"
    shutil.copytree(built, copy, symlinks=True, ignore=shutil.ignore_patterns("mlruns"))
    put_store(copy, empty_database)
    return copy


def put_store(site: Path, empty_database: Path) -> None:
    """Give a site a store without runs, which `track` would take seconds to make."""
    (site / "mlruns").mkdir()
    shutil.copy(empty_database, site / "mlruns")


def lock(site: Path) -> str:
    return (site / "dvc.lock").read_text()


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


@pytest.mark.parametrize(
    ("change", "folders"),
    [
        pytest.param(lambda folder: shutil.rmtree(folder / "2021"), "2020, 2022", id="missing"),
        pytest.param(
            lambda folder: shutil.copytree(folder / "2021", folder / "1999"), "1999, 2020, 2021, 2022", id="too many"
        ),
    ],
)
def test_area_refuses_other_years_than_declared(site: Path, change: object, folders: str) -> None:
    before = (site / "artifacts/area/trend.json").read_bytes()
    change(site / "artifacts/predict")  # type: ignore[operator]
    result = stage(site, "stages.area")
    assert result.returncode == 2
    assert "expected: 2020, 2021, 2022" in result.stderr
    assert f"found:    {folders}" in result.stderr
    assert (site / "artifacts/area/trend.json").read_bytes() == before


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


def test_a_planted_leak_is_refused_before_anything_is_learned(site: Path) -> None:
    path = site / "artifacts/patches/2020/train.npz"
    with np.load(path) as file:
        patches = {name: file[name] for name in file.files}
    patches["visible"][0] = 1  # the first patch lies in the corner block, which is a test block
    path.chmod(0o644)
    np.savez_compressed(path, **patches)
    result = stage(site, "stages.train")
    assert result.returncode == 2
    assert "a train patch shows imagery of held-out pixels" in result.stderr
    assert "train.npz" in result.stderr


def test_data_that_is_not_as_pinned_stops_the_run(site: Path) -> None:
    before = (site / "data.dvc").read_text()
    manifest = site / "data/auxiliary/manifest.json"
    manifest.chmod(0o644)
    manifest.write_text("{}\n\n")
    result = run(site, str(tiny.ROOT / "bin/repro"), str(site))
    assert result.returncode == 2
    assert "data/ is not what data.dvc pins" in result.stderr
    assert "data/auxiliary/manifest.json: modified" in result.stderr
    assert (site / "data.dvc").read_text() == before


def test_what_programs_leave_beside_data_is_no_difference(site: Path) -> None:
    for name in ("scenes/2020/a.tif.aux.xml", "aoi.gpkg-wal", "outlines.qml", ".~lock.scene_choice.csv#"):
        (site / "data" / name).write_text("left by a program that showed the file")
    assert done(site, "dvc", "status", "data.dvc").strip().endswith("up to date.")


def test_a_fresh_clone_makes_the_pinned_data_again(site: Path) -> None:
    pin = (site / "data.dvc").read_text()
    shutil.rmtree(site / "data")
    for out in (site / ".dvc/cache/files").rglob("*"):
        out.chmod(0o755 if out.is_dir() else 0o644)
    shutil.rmtree(site / ".dvc/cache/files")
    output = done(site, str(tiny.ROOT / "bin/repro"), str(site), "--dry")
    assert "3 scenes of 3 years" in output
    assert (site / "data.dvc").read_text() == pin


def test_a_failed_stage_is_told_from_a_failed_gate(site: Path) -> None:
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["site"]["simulated"] = True  # and the data are not: `report` refuses
    tiny.write_params(site, content)
    assert run(site, sys.executable, str(tiny.ROOT / "bin/repro"), str(site)).returncode == 2
    result = run(site, str(tiny.ROOT / "bin/summary"), str(site))
    assert result.returncode == 2
    assert "there are no results yet" in result.stderr


def test_what_a_person_decided_goes_through_the_stages(site: Path) -> None:
    """A year and a glacier are rejected, an outline is drawn. Labels stay the same: nothing is trained again."""
    large, small = "RGI60-15.00001", "RGI60-15.00002"
    before = {row["rgi_id"]: row for row in areas_of(site, 2020)}
    who = {"by": "A. Person", "at": "2026-11-28T23:00:00Z"}
    decisions: list[dict[str, Any]] = [
        {"year": year, "maps": version_of(site, year), **who, **words}
        for year, words in (
            (2021, {"decision": "reject", "comment": "snow"}),
            (2022, {"decision": "accept"}),
            (2022, {"rgi_id": small, "decision": "reject"}),
            (2020, {"rgi_id": small, "comment": "a lake"}),
        )
    ]
    notes = [each for each in decisions if "rgi_id" in each]
    years = [each for each in decisions if "rgi_id" not in each]
    (site / "review.json").write_text(json.dumps({**who, "years": years, "notes": notes}))
    drawn = box(tiny.LEFT + 1000, tiny.TOP - 2500, tiny.LEFT + 2000, tiny.TOP - 1500)
    frame = geopandas.GeoDataFrame({"rgi_id": [large], "year": [2020]}, geometry=[drawn], crs=tiny.CRS)
    frame.to_file(site / "drawn.gpkg")
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["area"]["common_valid_fraction_min"] = 0.5  # the small glacier is a fifth of the ice
    tiny.write_params(site, content)
    labels = (site / "artifacts/labels/glacier.tif").read_bytes()
    with contextlib.chdir(site):
        assert "2 of 3 years decided on" in take_in(site / "review.json", site / "drawn.gpkg")
    for name in ("labels", "area", "report"):
        assert stage(site, f"stages.{name}").returncode == 0, name
    assert (site / "artifacts/labels/glacier.tif").read_bytes() == labels
    trend = json.loads((site / "artifacts/area/trend.json").read_text())
    assert (trend["years"], trend["excluded_years"]) == ([2020, 2022], [2021])
    first, last = ({row["rgi_id"]: row for row in areas_of(site, year)} for year in (2020, 2022))
    assert first[large]["area_km2"] == pytest.approx(1.0, abs=0.04)
    assert first[small]["area_km2"] == before[small]["area_km2"]
    assert (last[small]["area_km2"], last[small]["unseen_km2"]) == (0, pytest.approx(0.66, abs=0.02))
    page = (site / "artifacts/report/index.html").read_text()
    for words in ("A. Person", "2026-11-28 23:00", "snow", "a lake", "automatic with manual editing", "drawn by hand"):
        assert words in page, words


def areas_of(site: Path, year: int) -> list[dict[str, Any]]:
    series = json.loads((site / "artifacts/area/series.json").read_text())
    return [row for row in series["glaciers"] if row["year"] == year]


def test_the_summary_tells_what_was_found(site: Path) -> None:
    output = done(site.parent, str(tiny.ROOT / "bin/summary"), str(site))
    areas = json.loads((site / "metrics/area.json").read_text())["area_by_year_km2"]
    lines = {words[0]: words for line in output.splitlines() if (words := line.split())}
    assert all(float(lines[year][1]) == pytest.approx(km2, abs=0.05) for year, km2 in areas.items())
    assert "site/artifacts/report/index.html" in output


def test_the_lock_can_be_checked_without_data(site: Path) -> None:
    check = str(tiny.ROOT / "bin/check-lock")
    for name in ("data", "artifacts", ".dvc/cache"):
        shutil.rmtree(site / name, ignore_errors=True)
    assert done(site, check, str(site)).strip() == "dvc.lock is current."
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["area"]["boundary_buffer_px"] = 0.5
    tiny.write_params(site, content)
    result = run(site, check, str(site))
    assert result.returncode == 1
    assert "dvc.lock is not current" in result.stderr


@pytest.mark.parametrize("name", ["ingest", *STAGES])
def test_a_stage_describes_its_contract(name: str, tmp_path: Path) -> None:
    result = run(tiny.ROOT, sys.executable, "-m", f"stages.{name}", "--describe")
    assert result.returncode == 0, result.stderr
    described = json.loads(result.stdout)
    assert described["title"] == name
    assert described["$schema"].startswith("https://json-schema.org/")
    assert set(described["properties"]) >= {"inputs", "outputs"}
