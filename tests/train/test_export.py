"""The export in a process of its own: the bytes of one in this process, and a clear end where it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stages.common.errors import ContractError
from stages.common.model.inference import read_info
from stages.train.export import exporter


def test_processes_that_wait_write_the_same_bytes(onnx_model: Path, tmp_path: Path) -> None:
    folders = tmp_path / "a model", tmp_path / "again"
    with exporter() as write_first, exporter() as write_second:
        for folder, write_onnx in zip(folders, (write_first, write_second), strict=True):
            shutil.copytree(onnx_model.parent, folder, ignore=shutil.ignore_patterns("model.onnx"))
            write_onnx(folder)
    first, second = (folder / "model.onnx" for folder in folders)
    assert first.read_bytes() == second.read_bytes()
    assert read_info(first).stride_px == read_info(onnx_model).stride_px


def test_a_failed_export_says_where_and_why(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="the export to ONNX failed") as refusal, exporter() as write_onnx:
        write_onnx(tmp_path)
    assert "architecture.json" in str(refusal.value) and str(tmp_path) in str(refusal.value)


def test_a_process_that_is_not_asked_is_ended() -> None:
    with pytest.raises(KeyError), exporter():
        raise KeyError
