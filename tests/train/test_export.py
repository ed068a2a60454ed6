"""The export in a process of its own: the bytes of one in this process, and a clear end where it fails."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.common.errors import ContractError
from stages.common.model.inference import OUTPUT, open_session, read_info
from stages.train.export import exporter


def test_a_process_that_waits_writes_the_model(onnx_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a model"
    shutil.copytree(onnx_model.parent, folder, ignore=shutil.ignore_patterns("model.onnx"))
    with exporter() as write_onnx:
        write_onnx(folder)
    assert replace(read_info(folder / "model.onnx"), path=onnx_model) == read_info(onnx_model)
    pixels = np.random.default_rng(1).normal(100, 50, (1, 64, 64, 3)).astype(np.float32)
    models = (folder / "model.onnx", onnx_model)
    answers = [open_session(model, height=64, width=64).run([OUTPUT], {"reflectance": pixels})[0] for model in models]
    assert (answers[0] == answers[1]).all()


def test_a_failed_export_says_where_and_why(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="the export to ONNX failed") as refusal, exporter() as write_onnx:
        write_onnx(tmp_path)
    assert "architecture.json" in str(refusal.value) and str(tmp_path) in str(refusal.value)


def test_a_process_that_is_not_asked_is_ended() -> None:
    with pytest.raises(KeyError), exporter():
        raise KeyError
