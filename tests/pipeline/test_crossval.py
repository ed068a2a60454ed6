"""`make crossval` on a small site with DVC and real, small trainings: what runs, what is taken from the cache."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from sandbox import tiny
from tests.repository import commit, done, pin_data, run, start_dvc

COMMAND = (sys.executable, "-m", "versions.crossval")


def set_folds(site: Path, folds: list[int]) -> None:
    content = tiny.params(site / "source", [2020])
    content["train"] |= {"epochs": 1, "steps_per_epoch": 2, "patience_epochs": 1}
    tiny.write_params(site, content | {"crossval": {"folds": folds}})


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with its data, committed; the cross-validation is switched off."""
    folder = tiny.make_site(tmp_path_factory.mktemp("site"), years=(2020,))
    set_folds(folder, [])
    start_dvc(folder)
    pin_data(folder)
    done(folder, "dvc", "repro", "--quiet", "prepare", "labels")
    commit(folder, "site")
    return folder


def trained(output: str) -> list[bool]:
    """For each fold whether it was trained, or taken from the cache."""
    parts = output.split("crossval: fold ")[1:]
    return [re.search(r"Running stage 'train'", part) is not None for part in parts]


def test_switched_off_it_says_how_to_switch_it_on(site: Path) -> None:
    result = run(site, *COMMAND)
    assert result.returncode == 2
    assert "set `crossval: {folds: [0, 1, 2, 3, 4]}`" in result.stderr


def test_what_the_pooling_needs_is_asked_for_before_any_training(site: Path) -> None:
    set_folds(site, [1])
    (site / "artifacts/labels").rename(site / "artifacts/away")
    try:
        result = run(site, *COMMAND)
    finally:
        (site / "artifacts/away").rename(site / "artifacts/labels")
    assert result.returncode == 2 and "a file is absent" in result.stderr and "make repro" in result.stderr
    assert "fold" not in result.stdout


def test_folds_are_trained_once_and_the_working_tree_stays(site: Path) -> None:
    set_folds(site, [1])
    assert trained(done(site, *COMMAND)) == [True]
    one_fold = json.loads((site / "metrics/crossval.json").read_text())
    set_folds(site, [1, 3])
    before = done(site, "git", "status", "--porcelain"), (site / "params.yaml").read_bytes()
    output = done(site, *COMMAND)
    assert trained(output) == [False, True]
    assert "PARTIAL: 2 of 5 folds (1, 3)" in output
    assert (done(site, "git", "status", "--porcelain"), (site / "params.yaml").read_bytes()) == before
    both = json.loads((site / "metrics/crossval.json").read_text())
    assert [scores["fold"] for scores in both["folds"]] == [1, 3] and both["folds"][0] == one_fold["folds"][0]
    for fold in (1, 3):
        evaluation = json.loads((site / f"artifacts/folds/{fold}/evaluate.json").read_text())
        assert evaluation["model"]["iou"] == pytest.approx(both["folds"][[1, 3].index(fold)]["model"]["iou"], abs=1e-3)
    assert "crossval-tiny-3" in done(site, "dvc", "exp", "list", "--name-only")
