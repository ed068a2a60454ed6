"""Fixtures for all tests."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import hypothesis
import pytest
import rasterio
import yaml
from filelock import FileLock

from stages.common import settings
from stages.track import store
from tests import forked

settings.quiet_mlflow()  # before anything imports it, the fork server included

# A machine that does other work too is slow, not wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).resolve().parents[1]
OPENVINO_REQUIRED = "GLACIER_OPENVINO_REQUIRED"
"""Set to 1 where the tests of OpenVINO must not be skipped."""


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


STORE_OF_THE_SHELL = os.environ.get(settings.TRACKING_URI)


@pytest.fixture(autouse=True)
def no_store_of_another_test() -> Iterator[None]:
    """Forget the store that a test, or what several share, has logged to: MLflow hands it on to later processes."""
    _name_the_store_of_the_shell()
    yield
    _name_the_store_of_the_shell()


def _name_the_store_of_the_shell() -> None:
    if STORE_OF_THE_SHELL is None:
        os.environ.pop(settings.TRACKING_URI, None)
    else:
        os.environ[settings.TRACKING_URI] = STORE_OF_THE_SHELL


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


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder that `make` has filled, once for all processes of a test run; nobody may change it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not folder.with_suffix(".made").exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed in the middle
            folder.mkdir()
            make(folder)
            folder.with_suffix(".made").touch()
    return folder


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models as `train` exports them, made in one process of their own (TensorFlow loads slowly)."""

    def make(folder: Path) -> None:
        forked.run((sys.executable, "-m", "tests.models", str(folder), "red,green,blue"), cwd=ROOT, check=True)

    return made_once(tmp_path_factory, "untrained", make)


@pytest.fixture(scope="session")
def onnx_model(untrained: Path) -> Path:
    """An untrained three-band U-Net."""
    return untrained / "single/model.onnx"


@pytest.fixture(scope="session")
def onnx_ensemble(untrained: Path) -> Path:
    """Two such nets in one model, calibrated with temperature 2; the first is that of `onnx_model`."""
    return untrained / "ensemble/model.onnx"


@pytest.fixture(scope="session")
def openvino_installed() -> None:
    """Skip, or fail, where OpenVINO is absent: no lock of `.venv` has it."""
    if importlib.util.find_spec("openvino") is None:
        reason = "run `make openvino`: there is no package openvino"
        if os.environ.get(OPENVINO_REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without runs: MLflow takes seconds to make one."""

    def make(folder: Path) -> None:
        import mlflow

        with store.quiet(logging.getLogger("quiet")):
            mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()

    return made_once(tmp_path_factory, "store", make) / "mlflow.db"


SLOWEST = ("pipeline/test_dag.py", "versions/promote", "pipeline/test_twin", "track", "pipeline", "versions", "train")
"""Beginnings of the names of files that take long, which start first: two processes then end at about the same time."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first (`--no-loadscope-reorder` keeps that order)."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = os.path.relpath(item.path, tests)
        return next((place for place, start in enumerate(SLOWEST) if name.startswith(start)), len(SLOWEST))

    items.sort(key=place)


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
