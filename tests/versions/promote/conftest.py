"""A champion with a challenger, and what must agree on a champion."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common.run.records import file_md5
from tests.versions.conftest import Site
from versions.move_runs import move_runs
from versions.registry import champion


def names_the_same_bytes(site: Site, number: str) -> None:
    """Registry version, file, .dvc file, `artifacts:` entry, commit, git tag and remote agree."""
    md5 = site.registry.version(number).md5
    entry = yaml.safe_load((tiny.ROOT / "dvc.yaml").read_text())["artifacts"][champion.ARTIFACT]
    assert site.registry.champion == number
    assert file_md5(site.folder / entry["path"]) == md5
    assert champion.pointed_md5((site.folder / f"{entry['path']}.dvc").read_text()) == md5
    assert champion.tagged_md5(site.folder, f"champion@v{number}.0.0") == md5
    assert champion.pointed_md5(site.done("git", "show", "HEAD:models/champion/model.onnx.dvc")) == md5
    assert file_md5(site.folder / "../remote/files/md5" / md5[:2] / md5[2:]) == md5
    assert site.done("git", "status", "--porcelain") == ""


@pytest.fixture
def two(site: Site, champion_and_challenger: Path) -> tuple[str, str]:
    """Version GOOD, champion with all that belongs to it, and BETTER, the challenger."""
    shutil.rmtree(site.folder)
    shutil.copytree(champion_and_challenger, site.folder.parent, symlinks=True, dirs_exist_ok=True)
    os.chdir(site.folder)
    assert "addresses of artifacts now begin with" in move_runs()
    return "1", "2"
