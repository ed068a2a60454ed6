"""Fixtures for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import hypothesis
import pytest
import rasterio
import yaml

# A machine that does other work too is slow, not wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of real samples: GLACIER_SAMPLES, else the committed crops, which have the same paths."""
    return Path(os.environ.get("GLACIER_SAMPLES") or ROOT / "tests/real")


@pytest.fixture(scope="session")
def whole_samples() -> Path:
    """Folder of the whole samples; a test that the crops are too small for is skipped without it."""
    folder = os.environ.get("GLACIER_SAMPLES")
    if not folder:
        pytest.skip("needs a whole scene or table: set GLACIER_SAMPLES")
    return Path(folder)


@pytest.fixture
def everest_site(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with the parameters of the Everest site, whose AOI is the scene that the samples have."""
    params = yaml.safe_load((ROOT / "sites/everest/params.yaml").read_text())
    with rasterio.open(samples / "everest-landsat7/LE71400412000304SGS00_RGB.tif") as scene:
        params["ingest"]["aoi"]["bounds"] = list(scene.bounds)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    monkeypatch.setenv("GLACIER_SAMPLES", str(samples))
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped and why."""
    reports = terminalreporter.stats.get("skipped", [])
    if reports:
        terminalreporter.write_line(skipped_line(report.longrepr[2] for report in reports))


def skipped_line(reasons: Iterable[str]) -> str:
    """Return one line with how many tests were skipped for each reason, most frequent first."""
    counts = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    parts = (f"{count} ({reason})" for reason, count in counts.most_common())
    return f"skipped {counts.total()}: " + ", ".join(parts)
