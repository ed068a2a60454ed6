"""``bin/repro``: what it refuses before anything runs, and how it names stages that gave other bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import tiny
from stages.common.errors import InputError
from stages.common.params.schema import Params
from tests import forked
from tests.repository import done, init
from versions.tools import commands

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
    repro.print_differences(old, {"area_by_year_km2": {"2020": 100.0}}, {"instruction_set": "AVX512_CORE_BF16"})


def test_the_stage_that_differs_is_named_with_cause_and_effect(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site, {"train": stage("x"), "area": stage("y", "x")}, {"train": stage("z"), "area": stage("w", "z")})
    output = capsys.readouterr().out
    assert "other bytes than dvc.lock records: train\n" in output
    assert "then AVX512_CORE_BF16, now AVX2" in output
    assert "2020: 100.000 km² then, 101.000 km² now (+1.00 %)" in output


def test_other_inputs_explain_other_bytes(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site, {"train": stage("x")}, {"train": stage("z", dep="b")})
    assert capsys.readouterr().out == ""


def test_the_same_bytes_are_no_news(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(site, {"train": stage("x")}, {"train": stage("x")})
    assert capsys.readouterr().out == ""


def test_the_committed_lock_stays_where_bytes_differ(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    committed, new = ({"stages": {"train": stage(out)}} for out in ("x", "z"))

    def stream_dvc(*_: object) -> int:
        (site / "dvc.lock").write_text(yaml.safe_dump(new))
        return 0

    for name in ("fetch_data", "check_data"):
        monkeypatch.setattr(repro, name, lambda: None)
    monkeypatch.setattr(repro, "run_ahead", lambda *_: True)
    monkeypatch.setattr(repro, "stream_dvc", stream_dvc)
    tiny.write_params(site, tiny.params(site, [2020]))
    for extra, expected in (((), new), (("--keep-lock",), committed)):
        (site / "dvc.lock").write_text(yaml.safe_dump(committed))
        assert repro.reproduce(site, *extra) == 0
        assert yaml.safe_load((site / "dvc.lock").read_text()) == expected
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
    monkeypatch.setattr(commands, "subprocess", forked)
    texts = []
    init(tmp_path)
    repro.POINTER.parent.mkdir(parents=True)
    for content in ("old", "new"):
        repro.POINTER.with_suffix("").write_text(content)
        done(tmp_path, "dvc", "add", "--quiet", str(repro.POINTER.with_suffix("")))
        texts.append(repro.POINTER.read_text())
    return repro.POINTER.with_suffix(""), texts


def params(model: str = "models/champion/model.onnx") -> Params:
    content = tiny.params(Path(), [2020])
    content["predict"] = content.get("predict", {}) | {"model": model}
    return Params.model_validate(content)


def test_the_champion_that_a_pull_brought_is_taken_before_anything_runs(champions: tuple[Path, list[str]]) -> None:
    model, (_, new) = champions
    model.unlink()
    model.write_text("old")
    repro.check_champion(params())
    assert (model.read_text(), repro.POINTER.read_text()) == ("new", new)
    model.unlink()
    repro.check_champion(params())
    assert model.read_text() == "new"


def test_a_file_that_was_never_cached_is_neither_used_nor_lost(champions: tuple[Path, list[str]]) -> None:
    model, (_, new) = champions
    model.unlink()
    model.write_text("another")
    with pytest.raises(InputError, match=r"predict\.model is the champion") as caught:
        repro.check_champion(params())
    assert (model.read_text(), repro.POINTER.read_text()) == ("another", new)
    assert f"`dvc pull {repro.POINTER}`" in caught.value.fix
    repro.check_champion(params("artifacts/train/model.onnx"))


def test_without_a_champion_none_can_be_used(site: Path) -> None:
    with pytest.raises(InputError, match=r"predict\.model is the champion") as caught:
        repro.check_champion(params())
    assert caught.value.fix == "`git pull`, or `make promote`"


def test_folders_of_undeclared_years_are_removed_and_hidden_files_stay(site: Path) -> None:
    for name in ("prepare/2019", "prepare/2020", "predict/2021", "patches/2020"):
        (site / "artifacts" / name).mkdir(parents=True)
    (site / "artifacts/prepare/.gitignore").write_text("/2020\n")
    repro.remove_undeclared_years(params())
    folders = sorted(str(path.relative_to(site)) for path in (site / "artifacts").glob("*/*"))
    assert folders == ["artifacts/patches/2020", "artifacts/prepare/.gitignore", "artifacts/prepare/2020"]


@pytest.mark.parametrize("name", ["notes.txt", "2020 copy"])
def test_what_no_stage_has_written_is_refused_and_not_removed(site: Path, name: str) -> None:
    stray = site / "artifacts/prepare" / name
    (stray if " " in name else stray.parent).mkdir(parents=True)
    if " " not in name:
        stray.write_text("my notes")
    with pytest.raises(InputError, match="something that no stage has written") as caught:
        repro.remove_undeclared_years(params())
    assert caught.value.found == name
    assert stray.exists()


CONFLICT = "<<<<<<< HEAD\nstages: {}\n=======\nstages: {a: 1}\n>>>>>>> main\n"


def tab_in_params(folder: Path) -> None:
    (folder / "params.yaml").write_text("years:\n\t- 2020\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(shutil.rmtree, "not a site", id="a site misspelt"),
        pytest.param(lambda folder: (folder / "params.yaml").unlink(), "not a site", id="no params.yaml"),
        pytest.param(tab_in_params, "params.yaml is", id="a tab in params.yaml"),
        pytest.param(
            lambda folder: (folder / "dvc.lock").write_text(CONFLICT), "dvc.lock is not valid YAML", id="lock"
        ),
        pytest.param(
            lambda folder: (folder / "dvc.lock").write_text("stages: [1]"), "dvc.lock is not valid", id="lock of a list"
        ),
        pytest.param(
            lambda folder: (folder / "data.dvc").write_text("outs: 3"), "data.dvc is not valid", id="data of a number"
        ),
        pytest.param(
            lambda folder: (folder / "data.dvc").write_text(CONFLICT), "data.dvc is not valid YAML", id="data"
        ),
        pytest.param(
            lambda folder: (folder / "metrics/area.json").write_text(CONFLICT), "area.json is not valid JSON", id="json"
        ),
    ],
)
def test_a_spoilt_site_ends_with_code_2_and_one_message(
    site: Path, spoil: Callable[[Path], Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site / "evrest"
    (folder / "metrics").mkdir(parents=True)
    (folder / "data/scenes").mkdir(parents=True)
    tiny.write_params(folder, tiny.params(folder, [2020]))
    spoil(folder)
    assert repro.main([str(folder)]) == 2
    assert message in capsys.readouterr().err


def test_the_name_of_the_site_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert repro.main([]) == 2
    assert "Usage: bin/repro <site folder>" in capsys.readouterr().err
