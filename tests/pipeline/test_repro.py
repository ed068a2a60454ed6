"""``bin/repro`` tells which stages gave other bytes for the same inputs, and what that does to the areas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import tiny

loader = SourceFileLoader("repro", str(tiny.ROOT / "bin/repro"))
repro = module_from_spec(spec_from_loader("repro", loader))
loader.exec_module(repro)


def stage(out: str, dep: str = "a") -> dict[str, Any]:
    return {"cmd": "run", "deps": [{"path": "in", "md5": dep}], "outs": [{"path": "out", "md5": out}]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/train.json").write_text(json.dumps({"instruction_set": "AVX2"}))
    (tmp_path / "metrics/area.json").write_text(json.dumps({"area_by_year_km2": {"2020": 101.0}}))
    return tmp_path


def tell(site: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    (site / "dvc.lock").write_text(yaml.safe_dump({"stages": new}))
    repro.tell_differences(old, {"area_by_year_km2": {"2020": 100.0}}, {"instruction_set": "AVX512_CORE_BF16"})


def test_the_stage_that_differs_is_named_with_cause_and_effect(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site, {"train": stage("x"), "area": stage("y", "x")}, {"train": stage("z"), "area": stage("w", "z")})
    said = capsys.readouterr().out
    assert "other bytes than dvc.lock records: train\n" in said
    assert "then AVX512_CORE_BF16, now AVX2" in said
    assert "2020: 100.000 km2 then, 101.000 km2 now (+1.00 %)" in said


def test_other_inputs_explain_other_bytes(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site, {"train": stage("x")}, {"train": stage("z", dep="b")})
    assert capsys.readouterr().out == ""


def test_the_same_bytes_are_no_news(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site, {"train": stage("x")}, {"train": stage("x")})
    assert capsys.readouterr().out == ""


def test_the_committed_lock_stays_where_bytes_differ(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    committed, here = ({"stages": {"train": stage(out)}} for out in ("x", "z"))

    def dvc(*_: str, quiet: bool = False) -> int:
        (site / "dvc.lock").write_text(yaml.safe_dump(here))
        return 0

    for name in ("data_is_as_pinned", "get_data"):
        monkeypatch.setattr(repro, name, lambda: True)
    monkeypatch.setattr(repro, "dvc", dvc)
    (site / "params.yaml").write_text(yaml.safe_dump({"years": [], "training_years": []}))
    for extra, kept in (((), here), (("--keep-lock",), committed)):
        (site / "dvc.lock").write_text(yaml.safe_dump(committed))
        assert repro.main(site, *extra) == 0
        assert yaml.safe_load((site / "dvc.lock").read_text()) == kept
    assert "dvc.lock is left as it was" in capsys.readouterr().out


def test_data_that_is_half_there_is_missing(site: Path) -> None:
    assert repro.data_is_missing()
    for name in ("data/scenes/2020", "data/auxiliary"):
        (site / name).mkdir(parents=True)
    assert not repro.data_is_missing()
    outs = [{"path": "data/scenes/2020"}, {"path": "data/scenes/2021"}]
    (site / "data.dvc").write_text(yaml.safe_dump({"outs": outs}))
    assert repro.data_is_missing()
    (site / "data/scenes/2021").mkdir()
    assert not repro.data_is_missing()


@pytest.fixture
def champions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """A repository whose champion was `old` and is `new`, both in DVC's cache; the .dvc file's text of each."""
    monkeypatch.chdir(tmp_path)
    texts = []
    run("git", "init", "--quiet")
    run("dvc", "init", "--quiet")
    repro.POINTER.parent.mkdir(parents=True)
    for content in ("old", "new"):
        repro.POINTER.with_suffix("").write_text(content)
        run("dvc", "add", "--quiet", str(repro.POINTER.with_suffix("")))
        texts.append(repro.POINTER.read_text())
    return repro.POINTER.with_suffix(""), texts


def run(*command: str) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run(command, check=True, env=os.environ | {"PATH": path})


USED = {"predict": {"model": "models/champion/model.onnx"}}


def test_the_champion_that_a_pull_brought_is_taken_before_anything_runs(champions: tuple[Path, list[str]]) -> None:
    model, (_, new) = champions
    model.unlink()
    model.write_text("old")
    assert repro.champion_is_as_pinned(USED)
    assert (model.read_text(), repro.POINTER.read_text()) == ("new", new)
    model.unlink()
    assert repro.champion_is_as_pinned(USED)
    assert model.read_text() == "new"


def test_a_file_that_nobody_kept_is_neither_used_nor_lost(
    champions: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    model, (_, new) = champions
    model.unlink()
    model.write_text("mine")
    assert not repro.champion_is_as_pinned(USED)
    assert (model.read_text(), repro.POINTER.read_text()) == ("mine", new)
    said = capsys.readouterr().err
    assert "predict.model is the champion" in said
    assert f"`dvc pull {repro.POINTER}`" in said
    assert repro.champion_is_as_pinned({"predict": {"model": "artifacts/train/model.onnx"}})


def test_without_a_champion_none_can_be_used(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not repro.champion_is_as_pinned(USED)
    assert "`git pull`, or `make promote`" in capsys.readouterr().err
