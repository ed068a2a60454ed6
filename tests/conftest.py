"""Fixtures for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# A machine that does other work too is slow, not wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of the real samples; tests that need it are skipped where it is not given."""
    folder = os.environ.get("GLACIER_SAMPLES")
    if not folder:
        pytest.skip("GLACIER_SAMPLES is not set: the real samples are not committed")
    return Path(folder)


@pytest.fixture(scope="session")
def onnx_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained three-band U-Net as `train` exports it, made in a process of its own (TensorFlow loads slowly)."""
    folder = tmp_path_factory.mktemp("model")
    subprocess.run([sys.executable, "-m", "tests.models", str(folder), "red,green,blue"], check=True, cwd=ROOT)
    return folder / "model.onnx"


@pytest.fixture(scope="session")
def onnx_ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two such nets in one model, calibrated with temperature 2; the first is that of `onnx_model`."""
    folder = tmp_path_factory.mktemp("ensemble")
    command = [sys.executable, "-m", "tests.models", str(folder), "red,green,blue", "2", "2.0"]
    subprocess.run(command, check=True, cwd=ROOT)
    return folder / "model.onnx"
