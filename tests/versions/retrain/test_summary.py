"""What a retraining's summary says is new."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.common.errors import InputError
from stages.common.tables.area import GateFinding
from versions.promote.promote import PromotionVerdict
from versions.retrain.summary import Outcome, base_revision, changes, compared_maps, endings, promotion

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@localhost")


def write(site: Path, *, years: list[int], base: int, iou: float, md5: str) -> None:
    params = {"years": years, "train": {"base_channels": base}}
    outs: list[dict[str, Any]] = [{"path": f"data/scenes/{year}", "md5": f"{year}"} for year in years]
    lock = {"stages": {name: {"outs": [{"path": name, "md5": md5}]} for name in ("train", "area")}}
    lock["stages"]["labels"] = {"outs": [{"path": "labels", "md5": "same"}]}
    (site / "params.yaml").write_text(yaml.safe_dump(params))
    (site / "data.dvc").write_text(yaml.safe_dump({"outs": outs}))
    (site / "dvc.lock").write_text(yaml.safe_dump(lock))
    (site / "metrics").mkdir(exist_ok=True)
    (site / "metrics/evaluate.json").write_text(json.dumps({"model": {"iou": iou}, "year": 2020}))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site in a folder of a repository, changed since the commit."""
    folder = tmp_path / "sites/one"
    folder.mkdir(parents=True)
    write(folder, years=[2020, 2021], base=8, iou=0.7, md5="a")
    for command in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "1"),
    ):
        subprocess.run(["git", *IDENTITY, *command], cwd=tmp_path, check=True)
    write(folder, years=[2020, 2021, 2022], base=16, iou=0.725, md5="b")
    return folder


def test_what_is_new_against_main(site: Path) -> None:
    text = "\n".join(changes(site, base_revision(site, None)))
    assert "## Against `main`" in text
    assert "- new years: 2022\n- changed data: data/scenes/2022\n- new results of: area, train\n" in text
    assert "| train.base_channels | 8 | 16 |  |" in text
    assert "| evaluate model.iou | 0.7 | 0.725 | +0.025 |" in text
    assert "evaluate year" not in text


def test_nothing_is_new(site: Path) -> None:
    write(site, years=[2020, 2021], base=8, iou=0.7, md5="a")
    assert "\n".join(changes(site, "main")).splitlines()[1:] == [
        "- new years: none", "- changed data: none", "- new results of: no stage",
    ]  # fmt: skip


def test_maps_that_cannot_be_compared_are_not_part_of_the_summary(site: Path) -> None:
    assert compared_maps(site, "main") == []


def test_a_revision_that_git_does_not_know(site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(InputError, match="git has no such revision"):
        base_revision(site, "nowhere")
    assert base_revision(tmp_path_factory.mktemp("no-git"), None) == ""


def test_endings_are_said() -> None:
    sentence = endings(Outcome(base="main", pull_error="", push_error="refused", sanity_passed=False, verdict=None))
    assert "A sanity gate failed" in sentence
    assert "not all on the remote** (refused): run `dvc push`" in sentence


@pytest.mark.parametrize(("passed", "sentence"), [(True, "would make it champion"), (False, "would refuse it")])
def test_what_a_promotion_would_do(passed: bool, sentence: str) -> None:
    verdict = PromotionVerdict("3", "2", [GateFinding(gate="area_bias", passed=passed, message="+1 %")])
    text = "\n".join(promotion(verdict))
    assert "Version 3 (champion: version 2):" in text
    assert sentence in text
