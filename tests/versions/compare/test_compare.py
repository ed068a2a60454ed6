"""Two revisions, an experiment and registered models of a real repository, compared by the real command."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.common.geo.raster import read_band
from stages.common.model.split import TEST, block_numbers
from stages.common.params.schema import load_params
from tests.repository import commit, done, make_repository, run

pytestmark = pytest.mark.long

POOR = ("train.epochs=1", "train.steps_per_epoch=1", "train.patience_epochs=1")
YEARS = [2020, 2021]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``main`` and ``HEAD~1`` hold the same model; the experiment ``poor`` and model version 2 a hardly trained one."""
    return build(tmp_path_factory.mktemp("versions"))


def build(folder: Path) -> Path:
    site = make_repository(folder, years=YEARS)
    (site / "notes.txt").write_text("nothing that a stage reads")
    commit(site, "second")
    settings = [word for setting in POOR for word in ("-S", setting)]
    done(site, "dvc", "exp", "run", "--quiet", "--name", "poor", *settings, "track")
    done(site, "git", "checkout", "--quiet", ".")
    done(site, "dvc", "checkout", "--quiet", "--force")
    return site


def compare(site: Path, a: str, b: str) -> tuple[dict[str, Any], str]:
    """compare.json, and the text on the console."""
    output = done(site, sys.executable, "-m", "versions.compare", a, b)
    (folder,) = (site / "compare").glob(f"{a.replace('~', '-')}--{b.replace('~', '-')}")
    assert (folder / "compare.html").read_text().startswith("<!doctype html>")
    return json.loads((folder / "compare.json").read_text()), output


def tree(site: Path) -> str:
    """Hash over every file but git's, DVC's and the tool's own output; links by where they lead."""
    digest = hashlib.sha256()
    for path in sorted(site.rglob("*")):
        if path.relative_to(site).parts[0] in (".git", ".dvc", "compare", "stages", "docker", "mlruns"):
            continue
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.relative_to(site)} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def state(site: Path) -> tuple[str, ...]:
    git = (("status", "--porcelain"), ("rev-parse", "HEAD"), ("diff", "--cached"), ("stash", "list"), ("branch",))
    return tree(site), *(done(site, "git", *arguments) for arguments in git)


def test_the_same_model_cannot_be_told_apart_and_nothing_is_touched(site: Path) -> None:
    before = state(site)
    comparison, output = compare(site, "HEAD~1", "workspace")
    assert comparison["same_model"]
    assert comparison["judgement"]["verdict"] == "cannot be told apart"
    assert [row["only_a_km2"] + row["only_b_km2"] for row in comparison["areas"]] == [0, 0]
    assert comparison["params"] == []
    assert comparison["product"] == comparison["a"]["product"] == comparison["b"]["product"] == "outlines"
    assert "areas of both: outlines product: image and inventory together; in dispute: from the images alone" in output
    assert {comparison[side]["maps"] for side in ("a", "b")} == {"2 maps from DVC's cache; areas from the cache too"}
    assert "both are the same model, byte for byte" in output
    assert state(site) == before


def test_a_poor_experiment_is_worse_and_its_table_says_where(site: Path) -> None:
    before = state(site)
    comparison, output = compare(site, "main", "poor")
    assert comparison["judgement"]["verdict"] == "B is worse"
    roles = read_band(site / "artifacts/patches/2020/split.tif")
    numbers = block_numbers(roles.shape, load_params(site / "params.yaml").patches)
    blocks = len(np.unique(numbers[roles == TEST]))
    assert comparison["judgement"]["blocks"] == blocks >= 5
    assert {row["name"]: (row["a"], row["b"]) for row in comparison["params"]} == {
        "train.epochs": ("3", "1"),
        "train.steps_per_epoch": ("20", "1"),
        "train.patience_epochs": ("3", "1"),
    }
    assert comparison["b"]["maps"].startswith("2 maps from DVC's cache")
    assert [row["year"] for row in comparison["areas"]] == YEARS
    for row in comparison["areas"]:
        assert row["only_a_km2"] + row["only_b_km2"] > 0.5
    recorded = json.loads(done(site, "git", "show", f"{comparison['b']['commit']}:metrics/area.json"))
    again = {str(row["year"]): row["b_km2"] for row in comparison["areas"]}
    assert again == pytest.approx(recorded["area_by_year_km2"], abs=1e-4)
    assert f"B is worse on {blocks} test blocks" in output
    assert state(site) == before


def test_models_of_the_registry_are_the_same_versions(site: Path) -> None:
    comparison, _ = compare(site, "v2", "1")
    assert comparison["judgement"]["verdict"] == "B is better"
    assert comparison["a"]["kind"] == "registered model glacier-tiny version 2"
    assert {row["name"] for row in comparison["params"]} == {setting.partition("=")[0] for setting in POOR}
    metrics = {row["name"]: row for row in comparison["metrics"]}
    assert metrics["evaluate/model/iou"]["difference"] > 0.3
    same, _ = compare(site, "challenger", "poor")
    assert same["same_model"]
    assert same["mean_dispute_fraction"] == 0


@pytest.mark.parametrize(
    ("name", "output"),
    [
        pytest.param("por", "near it: poor", id="an experiment misspelt"),
        pytest.param("mian", "near it: main", id="a branch misspelt"),
        pytest.param("v7", "near it: v", id="a model that is not there"),
        pytest.param("", "there are: workspace", id="empty"),
        pytest.param("", "fix:      give both A= and B=; `dvc exp list`", id="empty, with the fix"),
        pytest.param("--all", "there is no such version", id="an option"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_what_there_is(site: Path, name: str, output: str) -> None:
    result = run(site, sys.executable, "-m", "versions.compare", "--", name, "workspace")
    assert result.returncode == 2
    assert output in result.stderr
    assert "fix:" in result.stderr


def test_what_the_blocks_of_a_version_were_decides_what_is_compared(site: Path) -> None:
    """The workspace tests on other blocks than `main` did, which has learned from most of them."""
    params = (site / "params.yaml").read_text()
    try:
        (site / "params.yaml").write_text(params.replace("test_fold: 0", "test_fold: 2"))
        done(site, sys.executable, "-m", "stages.patches", "--year", "2020")
        comparison, output = compare(site, "main", "poor")
    finally:
        done(site, "git", "checkout", "--quiet", ".")
        done(site, "dvc", "checkout", "--quiet", "--force")
    assert comparison["judgement"]["left_out"] >= 5
    assert comparison["judgement"]["verdict"] == "cannot be told apart"
    assert "a bootstrap needs at least 5" in output
    assert "test blocks left out" in output


def test_each_experiment_has_a_run_with_its_name_and_parent(site: Path) -> None:
    code = (
        "import mlflow; client = mlflow.MlflowClient('sqlite:///mlruns/mlflow.db');"
        "runs = client.search_runs([e.experiment_id for e in client.search_experiments()]);"
        "print([(r.info.run_name, r.data.tags.get('experiment_parent')) for r in runs])"
    )
    parent = done(site, "git", "rev-parse", "HEAD").strip()
    assert f"('tiny-poor', '{parent}')" in done(site, sys.executable, "-W", "ignore", "-c", code)
