"""The environment of regions, where it is there, and a region that was mapped without any trouble."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import shapely

from sandbox import mountains, tiny
from tests.conftest import made_once

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-region/bin/python"
REQUIRED = "GLACIER_REGION_REQUIRED"
"""Set to 1 where the tests that need Dask must not be skipped."""


def shell() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def command(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", *arguments]


def map_region(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Map the region in ``<home>/regions/range``; the log and what is printed together."""
    return subprocess.run(
        command("region", "range", *arguments), cwd=home, env=shell(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="session")
def dask() -> None:
    """Skip, or fail, where the environment of regions is absent."""
    if not PYTHON.exists():
        reason = "run bin/region-environment: there is no .venv-region"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def undisturbed(dask: None, empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with regions/range, mapped by two workers, and log.txt; a seventh cell lies beyond the scenes."""

    def make(home: Path) -> None:
        far = shapely.affinity.translate(mountains.glaciers()[0], xoff=60_000)
        folder = mountains.make_region(home / "regions", workers=2, attempts=3)
        tiny.write_outlines(folder / "source/outlines.gpkg", [*mountains.glaciers(), far])
        (home / "mlruns").mkdir()
        shutil.copy(empty_database, home / "mlruns/mlflow.db")
        done = map_region(home)
        (home / "log.txt").write_text(f"exit code {done.returncode}\n{done.stdout}")

    return made_once(tmp_path_factory, "region", make)
