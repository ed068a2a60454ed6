"""A git repository with DVC and the made-up site of `sandbox.tiny` at its root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox import tiny

BIN = Path(sys.executable).parent
IDENTITY = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def run(site: Path, *command: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DVC", "GIT", "MLFLOW"))}
    environment = inherited | IDENTITY | {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(tiny.ROOT)}
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


def done(site: Path, *command: str) -> str:
    """Output of a command that must succeed."""
    result = run(site, *command)
    assert result.returncode == 0, f"{command}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout + result.stderr


def make(folder: Path, *, years: Sequence[int] = (2020, 2021)) -> Path:
    """The site, its data pinned, its pipeline run and committed; `dvc exp` works on it."""
    site = tiny.make_site(folder, years=tuple(years))
    (site / "dvc.yaml").unlink()  # DVC follows no link when it reads a revision
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(tiny.ROOT / name, site)
    done(site, "git", "init", "--quiet", "--initial-branch=main")
    done(site, "dvc", "init", "--quiet")
    done(site, "dvc", "config", "core.analytics", "false")
    done(site, "dvc", "config", "core.autostage", "false")
    (site / "mlruns").mkdir()
    (site / "mlruns/.gitkeep").touch()
    done(site, sys.executable, "-m", "stages.ingest")
    done(site, "dvc", "commit", "--quiet", "--force", "data.dvc")
    done(site, "dvc", "repro")
    commit(site, "first")
    return site


def commit(site: Path, message: str) -> None:
    done(site, "git", "add", "--all")
    done(site, "git", "commit", "--quiet", "--message", message)
