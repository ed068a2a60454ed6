"""Leave-one-site-out, with models whose maps are known in place of trainings."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import tiny
from stages.common import logs
from stages.common.params.schema import Params, load_params
from stages.common.run.documents import read_yaml
from stages.common.run.records import folder_md5, read_rows
from stages.ingest.ingest import ingest
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label
from stages.prepare.contract import CONTRACT as PREPARE
from stages.prepare.prepare import prepare
from tests.conftest import made_once
from tests.versions.models import DIM, GOOD, write_model
from versions.across_sites.__main__ import main
from versions.across_sites.scoring import score_on
from versions.across_sites.table import ScoreRow
from versions.across_sites.training import joint_params, train_on
from versions.starting_model.twins import run_in_process


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of one year, prepared and labelled; its patches are a file that says so."""

    def make(folder: Path) -> None:
        site = tiny.make_site(folder / "site", years=(2020,))
        with contextlib.chdir(site):
            ingest(load_params(), logs.configure("ingest"))
            run_in_process(PREPARE, prepare, 2020)
            run_in_process(LABELS, label)
        (site / "artifacts/patches").mkdir()
        (site / "artifacts/patches/stats.json").write_text("{}")

    return made_once(tmp_path_factory, "across-sites", make) / "site"


@pytest.fixture
def sites(finished: Path, tmp_path: Path) -> list[Path]:
    """Three sites; the patches of each differ."""
    folders = [Path(shutil.copytree(finished, tmp_path / name, symlinks=True)) for name in ("a", "b", "c")]
    for site in folders:
        (site / "artifacts/patches/stats.json").write_text(site.name)
    return folders


def end_training(folder: Path, params: dict[str, Any], model: tuple[float, float] = GOOD) -> Path:
    """Leave what a training leaves that has ended."""
    write_model(folder / "artifacts/train/model.onnx", *model)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return folder / "artifacts/train"


def test_the_first_site_trains_with_the_pinned_patches_of_the_others(sites: list[Path], tmp_path: Path) -> None:
    start = end_training(tmp_path / "start", {})
    params = joint_params(sites, {"epochs": 7}, start)
    assert params["train"]["more_patches"] == [
        {"path": str(site / "artifacts/patches"), "md5": folder_md5(site / "artifacts/patches")} for site in sites[1:]
    ]
    assert params["train"]["initial_model"] == {"path": str(start), "md5": folder_md5(start)}
    own = read_yaml(sites[0] / "params.yaml")
    assert params["train"]["epochs"] == 7 != own["train"]["epochs"]
    assert params["train"]["base_channels"] == own["train"]["base_channels"]
    assert params["patches"] == own["patches"]
    Params.model_validate(params)


def test_what_the_first_site_starts_from_or_learns_beside_itself_is_not_used(sites: list[Path]) -> None:
    """It may be the site that is left out."""
    params = read_yaml(sites[0] / "params.yaml")
    pin = {"path": "../c/artifacts/patches", "md5": "0" * 32 + ".dir"}
    params["train"] |= {"initial_model": pin, "more_patches": [pin]}
    (sites[0] / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    joint = joint_params(sites[:2], {}, None)["train"]
    assert joint["initial_model"] is None
    assert [each["path"] for each in joint["more_patches"]] == [str(sites[1] / "artifacts/patches")]


def test_a_training_that_has_ended_is_taken_as_it_stands(sites: list[Path], tmp_path: Path) -> None:
    model = end_training(tmp_path / "out", joint_params(sites, {}, None))
    before = folder_md5(model)
    assert train_on(sites, tmp_path / "out", {}) == model
    assert folder_md5(model) == before


def test_scores_are_those_of_a_known_map(sites: list[Path], tmp_path: Path) -> None:
    good, dim = (
        score_on(sites[0], end_training(tmp_path / name, {}, model), tmp_path / f"{name}-scored")
        for name, model in (("good", GOOD), ("dim", DIM))
    )
    assert good.against == "outlines"
    assert good.iou > 0.97
    assert good.area_error_pct == pytest.approx(0, abs=2)
    assert good.debris_recall is None and good.outline_iou is None, "neither short-wave infrared nor truth"
    assert 0.5 < dim.iou < 0.9
    assert dim.area_error_pct == pytest.approx(100 * (dim.iou - 1), abs=2), "part of the ice, and nothing else"
    assert not (sites[0] / "artifacts/predict").exists(), "the site stays as it was"


def test_each_site_is_left_out_once(sites: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, c = sites
    out = tmp_path / "out"
    for number, others in enumerate(([b, c], [c, a], [a, b]), start=1):
        end_training(out / f"without-{number}-{sites[number - 1].name}", joint_params(others, {}, None))
    assert main([*map(str, sites), "--out", str(out)]) == 0
    rows = read_rows(out / "scores.csv", ScoreRow)
    assert [(row.left_out, row.validated_on, row.learned_from) for row in rows] == [
        ("a", "b", 2), ("b", "c", 2), ("c", "a", 2),
    ]  # fmt: skip
    assert all(row.iou > 0.97 for row in rows)
    assert "| mean (area: of the size) | 2 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "spoil", "message"),
    [
        pytest.param(["a"], "", "needs different sites", id="one site"),
        pytest.param(["a", "b", "a"], "", "needs different sites", id="one twice"),
        pytest.param(["a", "b"], "b/artifacts/patches", "no artifacts/patches", id="without patches"),
        pytest.param(["a", "nowhere"], "", "no params.yaml", id="no site"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    names: list[str], spoil: str, message: str, sites: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if spoil:
        shutil.rmtree(tmp_path / spoil)
    assert main([*(str(tmp_path / name) for name in names), "--out", str(tmp_path / "out")]) == 2
    assert message in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
