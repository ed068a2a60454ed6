"""A made-up site that ingests well; tests spoil copies of it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from sandbox import tiny
from stages.ingest.ingest import main


@pytest.fixture(scope="session")
def good_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years, with ``data/`` ingested. Never changed."""
    folder = tiny.make_site(tmp_path_factory.mktemp("good"), years=(2020, 2021))
    content = tiny.params(Path("source"), [2020, 2021])
    tiny.write_params(folder, content)
    with contextlib.chdir(folder):
        assert main([]) == 0
    return folder


@pytest.fixture
def site(good_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to spoil; the working directory."""
    folder = tmp_path / "site"
    shutil.copytree(good_site, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder
