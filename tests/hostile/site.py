"""A whole made-up site: data and the artefacts of every stage, with a model made by hand in place of a trained one."""

from __future__ import annotations

import contextlib
import importlib
import io
import shutil
from pathlib import Path

from sandbox import tiny
from stages.common.run import stage
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.learning import EpochRow, TrainMetrics
from tests import models as trained
from tests.hostile import models

YEARS = (2020, 2021)
FUNCTIONS = {
    "prepare": "prepare.prepare", "labels": "label.label", "patches": "cut.cut_patches", "train": "train.train",
    "evaluate": "evaluate.evaluate", "predict": "predict.predict", "area": "measure.measure",
    "report": "report.report", "track": "track.track", "gate": "decide.decide",
}  # fmt: skip
"""Module and function of each stage's entry."""


def run(command: str) -> int:
    """Run ``ingest``, or a stage as ``predict@2020``, in this process; return its exit code."""
    name, _, rest = command.partition("@")
    arguments = ["--year", *rest.split()] if rest else []
    if name == "ingest":
        return importlib.import_module("stages.ingest.ingest").main(arguments)
    module, function = FUNCTIONS[name].rsplit(".", maxsplit=1)
    entry = getattr(importlib.import_module(f"stages.{name}.{module}"), function)
    return stage.main(importlib.import_module(f"stages.{name}.contract").CONTRACT, entry, arguments)


def make(folder: Path) -> Path:
    """Make the site up to `report`; it is never changed afterwards, but copied."""
    tiny.make_site(folder, years=YEARS)
    for link in ("stages", "docker", "dvc.yaml"):
        (folder / link).unlink()
    content = tiny.params(Path("source"), list(YEARS))
    tiny.write_params(folder, content)
    with contextlib.chdir(folder):
        _done("ingest", *(f"prepare@{year}" for year in YEARS), "labels", "patches@2020")
        _as_train(Path("artifacts/train"))
        _done("evaluate", *(f"predict@{year}" for year in YEARS), "area", "report")
        shutil.rmtree("artifacts/.tmp", ignore_errors=True)
    return folder


def _as_train(folder: Path) -> None:
    models.model(folder / "model.onnx")
    card = trained.card(["red", "green", "blue"], 16, 20, 10, 1, 1.0)
    write_json(folder / "model_card.json", card)
    write_json(folder / "architecture.json", {"class_name": "Functional"})
    (folder / "model.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    row = EpochRow(epoch=1, loss=0.5, iou=0.5, val_loss=0.5, val_iou=0.5, learning_rate=0.001)
    write_table(folder / "history.csv", [row], EpochRow)
    fields = {name: getattr(card, name) for name in TrainMetrics.model_fields if hasattr(card, name)}
    Path("metrics").mkdir(exist_ok=True)
    write_json(Path("metrics/train.json"), fields)


def _done(*commands: str) -> None:
    for command in commands:
        with contextlib.redirect_stderr(io.StringIO()) as words:
            code = run(command)
        if code:
            raise RuntimeError(f"{command} ended with exit code {code}: {words.getvalue()}")
