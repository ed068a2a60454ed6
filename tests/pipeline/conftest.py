"""The small site with its DAG run by DVC, once for all tests; each works on a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox import tiny
from tests.conftest import made_once
from tests.repository import done, pin_data, stages_run, start_dvc

STAGES = ("prepare", "labels", "patches", "train", "evaluate", "predict", "area", "report", "track", "gate")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """The small site after its first run, made once for all processes; tests work on copies."""

    def make(root: Path) -> None:
        site = tiny.make_site(root / "site")
        put_store(site, empty_database)
        start_dvc(site)
        pin_data(site)
        ran = stages_run(done(site, "dvc", "repro"))
        assert {name.split("@")[0] for name in ran} == set(STAGES)

    return made_once(tmp_path_factory, "built", make) / "site"


@pytest.fixture
def site(built: Path, tmp_path: Path, empty_database: Path) -> Path:
    copy = tmp_path / "site"
    shutil.copytree(built, copy, symlinks=True, ignore=shutil.ignore_patterns("mlruns"))
    put_store(copy, empty_database)
    return copy


def put_store(site: Path, empty_database: Path) -> None:
    """Give a site a store without runs, which `track` would take seconds to make."""
    (site / "mlruns").mkdir()
    shutil.copy(empty_database, site / "mlruns")


def lock(site: Path) -> str:
    """Return the site's dvc.lock."""
    return (site / "dvc.lock").read_text()
