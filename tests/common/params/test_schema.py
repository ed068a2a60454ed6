"""params.yaml: what is wrong is refused, and named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from sandbox import tiny
from stages.common.errors import ParamsError
from stages.common.params.schema import load_params

ROOT = Path(__file__).resolve().parents[3]


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    *parents, last = path.split(".")

    def apply(content: dict[str, Any]) -> None:
        for name in parents:
            content = content[name]
        content[last] = value

    return apply


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        pytest.param(
            change("train.epoch", 3), "train.epoch: there is no such parameter: did you mean epochs?", id="unknown"
        ),
        pytest.param(change("grid.pixel_size_m", -1), "grid.pixel_size_m", id="out of range"),
        pytest.param(change("years", []), "years", id="no year"),
        pytest.param(change("years", [2021, 2020]), "sorted", id="years not sorted"),
        pytest.param(change("training_years", [1999]), "training_years are not all among years", id="training year"),
        pytest.param(change("evaluate.year", 2021), "evaluate.year", id="evaluate a year that was not trained on"),
        pytest.param(change("crossval", {"folds": [1, 0]}), "folds must be sorted", id="folds not sorted"),
        pytest.param(change("crossval", {"folds": [0, 5]}), "not below patches.folds (5)", id="fold that is not there"),
        pytest.param(change("prepare.bands", ["red", "red"]), "a band is named twice", id="doubled band"),
        pytest.param(change("report.rgb", ["B04", "B03", "B02"]), "report.rgb", id="band that is not prepared"),
        pytest.param(change("patches.test_fold", 1), "must differ", id="test fold is validation fold"),
        pytest.param(change("patches.test_fold", 7), "below folds", id="no such fold"),
        pytest.param(change("patches.size_px", 36), "multiples of 8", id="patch that the network cannot halve"),
        pytest.param(change("site.name", "My Site"), "site.name", id="site name"),
        pytest.param(change("ingest.aoi.bounds", [2, 0, 1, 1]), "left, bottom, right, top", id="box without extent"),
        pytest.param(change("ingest.source", "ftp"), "ingest.source", id="unknown source"),
    ],
)
def test_a_broken_parameter_is_named(tmp_path: Path, edit: Callable[[dict[str, Any]], None], message: str) -> None:
    content = copy.deepcopy(tiny.params(tmp_path, [2020, 2021]))
    edit(content)
    tiny.write_params(tmp_path, content)
    with pytest.raises(ParamsError) as caught:
        load_params(tmp_path / "params.yaml")
    assert message in str(caught.value)
    assert "params.yaml" in str(caught.value)


def test_a_yaml_date_is_refused_because_dvc_cannot_read_it(tmp_path: Path) -> None:
    tiny.write_params(tmp_path, tiny.params(tmp_path, [2020]))
    path = tmp_path / "params.yaml"
    path.write_text(path.read_text().replace("'2020-10-15'", "2020-10-15"))
    with pytest.raises(ParamsError, match="break the schema") as caught:
        load_params(path)
    assert "in quotes" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [pytest.param(None, "absent", id="no file"), pytest.param("a: [1", "not valid YAML", id="broken YAML")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "params.yaml").write_text(content)
    with pytest.raises(ParamsError, match=message):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("sites/*/params.yaml")), ROOT / "params.yaml"], ids=str)
def test_committed_parameters_are_valid(path: Path) -> None:
    assert load_params(path).years


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("sites/*/params.yaml")), ROOT / "params.yaml"], ids=str)
def test_an_experiment_can_change_committed_parameters(path: Path) -> None:
    """DVC hands them to OmegaConf, which takes ``${NAME}`` for an entry of the file and fails."""
    content = OmegaConf.to_object(OmegaConf.load(path))
    assert isinstance(content, dict) and content["patches"]
