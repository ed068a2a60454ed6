"""Tables of experiments, and the sweep that makes them."""

from __future__ import annotations

import pytest
import yaml

from bench import sweep
from sandbox import tiny
from stages.common.params.schema import Params
from versions.experiments import Experiment, experiment_table

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


def test_the_table_of_the_sweep_has_the_rows_that_are_there() -> None:
    named = [Experiment(name="  width-8", params={}, metrics={"evaluate/model/iou": 0.7})]
    lines = sweep.markdown_table(named, list(sweep.ROWS)).splitlines()
    assert len(lines) == 3
    assert lines[2] == "| width 8 | 0.700 | – | – | – | – |"


@pytest.mark.parametrize("name", list(sweep.ROWS))
def test_a_row_sets_what_the_demo_names_and_the_schema_takes(name: str) -> None:
    """DVC refuses to set a parameter that params.yaml leaves out."""
    content = yaml.safe_load((tiny.ROOT / "params.yaml").read_text())
    words = sweep.experiment_command(name, 8)
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
