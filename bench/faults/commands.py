"""A small site in a repository of its own, and the commands that are run there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from sandbox import tiny

ROOT = tiny.ROOT
PYTHON = sys.executable
COMMANDS = {
    "track": [PYTHON, "-m", "stages.track"],
    "ingest": [str(ROOT / "bin/ingest"), "."],
    "repro": [str(ROOT / "bin/repro"), "."],
    "retrain": [PYTHON, "-m", "versions.retrain", "--base", "HEAD"],
    "promote": [PYTHON, "-m", "versions.promote"],
}
MAY_FAIL_A_GATE = ("repro", "retrain", "promote")
"""A made-up glacier need not pass the gates: exit code 1 is an end too."""

YEARS = (2020, 2021)


def environment() -> dict[str, str]:
    """Return the environment of the commands: this interpreter, this code, and an identity for git."""
    identity = {
        f"GIT_{who}_{what}": "bench@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | identity | {"PATH": path, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}


def start(site: Path, command: list[str]) -> subprocess.Popen[str]:
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        command, cwd=site, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def make_repository(folder: Path) -> Path:
    """Make a site with git and DVC, its pipeline run and committed; return its folder."""
    site = tiny.make_site(folder, years=YEARS)
    (site / "dvc.yaml").unlink()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, site)
    (site / "mlruns").mkdir()
    for line in ("git init -q -b main", "python -m dvc init -q", "python -m dvc config core.analytics false"):
        subprocess.run(line.split(), cwd=site, env=environment(), check=True)
    for name in ("ingest", "repro"):
        finish(site, name)
    for line in ("git add --all", "git commit -q -m first"):
        subprocess.run(line.split(), cwd=site, env=environment(), check=True)
    return site


def finish(site: Path, name: str) -> float:
    """Run a command to its end, and return its seconds; an end that is none is an error."""
    began = time.monotonic()
    process = start(site, COMMANDS[name])
    output, _ = process.communicate()
    if process.returncode not in ((0, 1) if name in MAY_FAIL_A_GATE else (0,)) or "Traceback" in output:
        raise SystemExit(f"{name} ended with {process.returncode}:\n{output[-3000:]}")
    return time.monotonic() - began
