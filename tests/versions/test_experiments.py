"""Tables of experiments, and the sweep that makes them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from bench import sweep
from sandbox import tiny
from stages.common.errors import InputError
from stages.common.params.schema import Params
from stages.common.revision import run_git
from versions.experiments import Experiment, experiment_table
from versions.tools.commands import run_dvc

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b")

TWO = [
    Experiment(
        name="main",
        params={"train.base_channels": "16", "years": "[1]"},
        metrics={"evaluate/model/iou": 0.5, "evaluate/model/area_bias_pct": -1.25},
    ),
    Experiment(
        name="  wide",
        params={"train.base_channels": "32", "years": "[1]", "train.seed": "2"},
        metrics={"evaluate/model/iou": 0.61249},
    ),
]


def test_only_what_differs_has_a_column() -> None:
    lines = [line.split() for line in experiment_table(TWO).splitlines()]
    assert lines == [
        ["experiment", "train.base_channels", "train.seed", "IoU", "bias", "%"],
        ["main", "16", "default", "0.500", "−1.2"],
        ["wide", "32", "2", "0.612", "–"],
    ]


def test_the_two_slopes_have_names_of_their_own() -> None:
    """The change product and the trend of the common area are two products: "slope" alone is neither."""
    slopes = {"area/change/slope_km2_per_year": -0.163, "area/slope_km2_per_year": -0.165}
    head, row = experiment_table([Experiment(name="main", params={}, metrics=slopes)]).splitlines()
    assert [cell.strip() for cell in head.split("   ") if cell] == [
        "experiment", "change km²/year", "common area km²/year"
    ]  # fmt: skip
    assert row.split() == ["main", "−0.163", "−0.165"]


def test_the_table_of_the_sweep_has_the_rows_that_are_there() -> None:
    named = [Experiment(name="  width-8", params={}, metrics={"evaluate/model/iou": 0.7})]
    lines = sweep.markdown_table(named, list(sweep.ROWS)).splitlines()
    assert len(lines) == 3
    assert lines[2] == "| width 8 | 0.700 | – | – | – | – |"


def test_outside_of_git_the_sweep_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match="git does not know this site"):
        sweep.sweep(tmp_path, argparse.Namespace(only=["width-8"], epochs=1, held_out=False))


def test_the_sweep_needs_no_dvc_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "params.yaml").write_text("years: []\n")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "dvc" not in sweep.experiment_arguments("width-8", 8)
    for command in (["init", "--quiet"], ["add", "."], [*IDENTITY, "commit", "--quiet", "-m", "first"]):
        assert run_git(tmp_path, *command).returncode == 0
    assert run_dvc(tmp_path, "init", "--quiet").returncode == 0
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text("years: [2020]\n")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    sweep.restore(tmp_path)
    assert (tmp_path / "params.yaml").read_text() == "years: []\n"


@pytest.mark.parametrize("name", list(sweep.ROWS))
def test_a_row_sets_what_the_demo_names_and_the_schema_takes(name: str) -> None:
    """DVC refuses to set a parameter that params.yaml leaves out."""
    content = yaml.safe_load((tiny.ROOT / "params.yaml").read_text())
    words = sweep.experiment_arguments(name, 8)
    for change in words[words.index("--set-param") + 1 : -1 : 2]:
        key, _, value = change.partition("=")
        *sections, last = key.split(".")
        part = content
        for section in sections:
            part = part[section]
        assert last in part
        part[last] = yaml.safe_load(value)
    Params.model_validate(content)
    assert words[-1] == "track"
