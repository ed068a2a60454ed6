"""A git repository with DVC and the small site of `sandbox.tiny` at its root, and commands that run in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox import tiny
from tests import forked

BIN = Path(sys.executable).parent
IDENTITY = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


NO_REPORT = {"DVC_NO_ANALYTICS": "true"}

ALONE = """[core]
    analytics = false
    autostage = false
    check_update = false
"""
"""DVC's settings, those of this repository: by default each command leaves a process behind that looks for updates."""


def run(site: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the site's folder, whatever DVC, git and MLflow variables the tests run with."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DVC", "GIT", "MLFLOW"))}
    found_first = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(tiny.ROOT)}
    environment = inherited | IDENTITY | NO_REPORT | found_first
    if command[0] == "dvc" and command[1] != "exp":  # it leaves processes behind
        return forked.run((sys.executable, "-m", *command), cwd=site, env=environment)
    if command[:2] == (sys.executable, "-m") and command[2].startswith("stages."):
        return forked.run(command, cwd=site, env=environment)
    if command[0] == str(tiny.ROOT / "bin/repro"):
        code = f"{forked.FORKING}import runpy; runpy.run_path({command[0]!r}, run_name='__main__')"
        return forked.run((sys.executable, "-c", code, *command[1:]), cwd=site, env=environment)
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


def done(site: Path, *command: str) -> str:
    """Return the output of a command that must succeed."""
    result = run(site, *command)
    assert result.returncode == 0, f"{command}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout + result.stderr


def stages_run(output: str) -> set[str]:
    """Return the names of the stages that `dvc repro` says it has run."""
    return set(re.findall(r"Running stage '(.+?)'", output))


def start_dvc(site: Path) -> None:
    """Make a site's folder a repository of git and DVC."""
    for name in (".dvcignore", ".gitignore"):
        shutil.copy(tiny.ROOT / name, site)
    init(site)


def init(folder: Path) -> None:
    """Make a folder a repository of git and DVC, without a file of its own."""
    done(folder, "git", "init", "--quiet", "--initial-branch=main")
    done(folder, "dvc", "init", "--quiet")
    (folder / ".dvc/config").write_text(ALONE)


def pin_data(site: Path) -> None:
    """Fetch the site's data and record it in data.dvc."""
    done(site, sys.executable, "-m", "stages.ingest")
    done(site, "dvc", "commit", "--quiet", "--force", "data.dvc")


def make_repository(folder: Path, *, years: Sequence[int] = (2020, 2021)) -> Path:
    """Make the site, its data pinned, its pipeline run and committed; `dvc exp` works on it."""
    site = tiny.make_site(folder, years=tuple(years))
    (site / "dvc.yaml").unlink()  # DVC follows no link when it reads a revision
    shutil.copy(tiny.ROOT / "dvc.yaml", site)
    start_dvc(site)
    (site / "mlruns").mkdir()
    (site / "mlruns/.gitkeep").touch()
    pin_data(site)
    done(site, "dvc", "repro")
    commit(site, "first")
    return site


def commit(site: Path, message: str) -> None:
    """Commit all files of the site."""
    done(site, "git", "add", "--all")
    done(site, "git", "commit", "--quiet", "--message", message)


def stage(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m`` with the arguments."""
    return run(site, sys.executable, "-m", *arguments)
