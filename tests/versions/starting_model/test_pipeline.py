"""`dvc repro` makes a model that the stage `train` starts from; git keeps its lock, a remote the model."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common.run.records import folder_md5, read_document
from stages.common.tables.learning import LearnedFrom
from tests.repository import done, run, stage
from tests.versions.starting_model.conftest import PARAMS
from versions.starting_model.params import StartParams
from versions.starting_model.twins import make_twin

MODEL = "models/small/model"


def lock_check(repository: Path) -> str:
    result = run(repository, sys.executable, str(tiny.ROOT / "bin/check-lock"), str(repository / "models/small"))
    return result.stdout + result.stderr


def change_training(repository: Path) -> None:
    content = PARAMS | {"train": PARAMS["train"] | {"epochs": 2}}
    (repository / "models/small/params.yaml").write_text(yaml.safe_dump(content))


def test_the_model_has_learned_from_the_twins_of_all_seeds(built: Path) -> None:
    folder = built / "models/small"
    twins = [folder / f"artifacts/twins/{seed}" for seed in PARAMS["seeds"]]
    for twin in twins:
        assert sorted(path.name for path in twin.iterdir()) == ["artifacts", "params.yaml"]
        assert [path.name for path in (twin / "artifacts").iterdir()] == ["patches"], "scenes are not kept"
    sources = read_document(built / MODEL / "learned_from.json", LearnedFrom)
    assert [other.md5 for other in sources.more_patches] == [folder_md5(twins[1] / "artifacts/patches")]
    assert json.loads((built / MODEL / "model_card.json").read_text())["bands"] == ["B03", "B11"]


def test_the_pin_that_is_printed_is_the_hash_in_the_lock(built: Path) -> None:
    outs = yaml.safe_load((built / "models/small/dvc.lock").read_text())["stages"]["train"]["outs"]
    assert outs[0]["md5"] == folder_md5(built / MODEL)
    assert f"path: ../../models/small/model, md5: {outs[0]['md5']}" in (built / "log.txt").read_text()


def test_a_twin_made_again_has_the_same_bytes(built: Path, tmp_path: Path) -> None:
    make_twin(StartParams.model_validate(PARAMS), 12, tmp_path / "12", scratch=tmp_path / ".tmp")
    assert folder_md5(tmp_path / "12") == folder_md5(built / "models/small/artifacts/twins/12")


def test_git_keeps_no_file_of_the_model(built: Path) -> None:
    tracked = done(built, "git", "ls-files", "models").split()
    assert sorted(tracked) == [f"models/small/{name}" for name in ("dvc.lock", "dvc.yaml", "params.yaml")]


def test_a_site_starts_from_it(repository: Path) -> None:
    site = repository / "models/small/artifacts/twins/11"
    params, pin = yaml.safe_load((site / "params.yaml").read_text()), folder_md5(repository / MODEL)
    start = {"path": "../../../model", "md5": pin}
    params["train"] = PARAMS["train"] | {"initial_model": start, "learning_rate": 1e-9}
    (site / "params.yaml").unlink()  # a link to DVC's cache, or write-protected
    (site / "params.yaml").write_text(yaml.safe_dump(params))
    result = stage(site, "stages.train")
    assert result.returncode == 0, result.stderr
    sources = read_document(site / "artifacts/train/learned_from.json", LearnedFrom)
    assert sources.initial_model is not None
    assert sources.initial_model.md5 == pin
    own = json.loads((repository / MODEL / "model_card.json").read_text())["val_iou"]
    assert sources.initial_model.val_iou == pytest.approx(own, abs=1e-3), "its answers, before the first step"


def test_a_remote_holds_the_model_and_no_twin(repository: Path, tmp_path: Path) -> None:
    done(repository, "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    done(repository, "dvc", "push", "--quiet")
    for name in (".dvc/cache", MODEL, "models/small/artifacts"):
        shutil.rmtree(repository / name)
    done(repository, "dvc", "pull", "models/small/dvc.yaml:train")
    lock = yaml.safe_load((repository / "models/small/dvc.lock").read_text())["stages"]["train"]
    assert folder_md5(repository / MODEL) == lock["outs"][0]["md5"]
    assert not list((repository / ".dvc/cache").rglob(lock["deps"][0]["md5"][2:]))
    assert "dvc.lock is current" in lock_check(repository)


def test_a_stale_lock_is_seen_without_data(repository: Path) -> None:
    shutil.rmtree(repository / "models/small/artifacts")
    assert "dvc.lock is current" in lock_check(repository)
    change_training(repository)
    found = lock_check(repository)
    assert "dvc.lock is not current (would run: train" in found, "no twin is made again"
    assert "run `make start-model MODEL=small`" in found


def test_twins_of_other_seeds_are_refused(repository: Path) -> None:
    folder = repository / "models/small"
    before = folder_md5(repository / MODEL)
    (folder / "artifacts/twins/13").mkdir()
    result = stage(folder, "versions.starting_model", "train")
    assert result.returncode == 2
    assert "expected: [11, 12]" in result.stderr
    assert "found:    [11, 12, 13]" in result.stderr
    assert folder_md5(repository / MODEL) == before
    result = stage(folder, "versions.starting_model", "twin", "7")
    assert result.returncode == 2
    assert "expected: one of [11, 12]" in result.stderr
