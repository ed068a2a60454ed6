"""``bin/repro`` tells which stages gave other bytes for the same inputs, and what that does to the areas."""

from __future__ import annotations

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import tiny

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
