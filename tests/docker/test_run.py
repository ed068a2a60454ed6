"""`docker/run` finds the project's Python, wherever it is called and whatever is on the path."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox import tiny


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout in a folder with a blank: docker/run, a Python that says what it is called with, and a site."""
    root = tmp_path / "Glacier Work"
    (root / ".venv/bin").mkdir(parents=True)
    python = root / ".venv/bin/python"
    python.write_text('#!/bin/sh\necho "own $* PYTHONPATH=${PYTHONPATH:-}"\n')
    python.chmod(0o755)
    (root / "docker").mkdir()
    shutil.copy(tiny.ROOT / "docker/run", root / "docker/run")
    (root / "sites/mine").mkdir(parents=True)
    (root / "sites/mine/docker").symlink_to("../../docker")
    return root


def said(folder: Path, **variables: str) -> str:
    """Return what a stage's command prints in a folder, with the system's programs alone on the path."""
    command = ["docker/run", "python", "-m", "stages.area"]
    environment = {"PATH": "/usr/bin:/bin"} | variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("folder", [".", "sites/mine"])
def test_the_environment_of_the_checkout_is_found(root: Path, folder: str) -> None:
    assert said(root / folder) == "own -m stages.area PYTHONPATH=\n"
    for runner in ("docker", "podman"):
        place = (root / folder / "docker").resolve()
        expected = f"own {place}/container.py python -m stages.area PYTHONPATH={root}\n"
        assert said(root / folder, RUNNER=runner) == expected


def test_a_copy_without_environment_takes_that_of_the_repository(root: Path, tmp_path: Path) -> None:
    """A queued experiment of DVC runs in such a copy."""
    copy = shutil.copytree(root, tmp_path / "copy", symlinks=True)
    shutil.rmtree(copy / ".venv")
    assert said(copy, DVC_ROOT=str(root)) == "own -m stages.area PYTHONPATH=\n"
