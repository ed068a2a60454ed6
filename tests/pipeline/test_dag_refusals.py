"""The whole DAG on a small site: what is refused, what stops a run, and what is no reason to."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from sandbox import tiny
from tests.repository import done, run, stage


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
    assert result.stderr.rstrip().endswith("run `make repro` and commit dvc.lock.")


def test_a_site_that_never_ran_has_no_lock_to_check(tmp_path: Path) -> None:
    folder = tmp_path / "sites/mine"
    folder.mkdir(parents=True)
    (folder / "dvc.yaml").write_text("stages: {}\n")
    result = run(tmp_path, str(tiny.ROOT / "bin/check-lock"), "sites/mine")
    assert result.returncode == 1
    assert "there is no dvc.lock, as nothing has run here yet: run `make repro SITE=mine`" in result.stderr
