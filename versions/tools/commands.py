"""Run DVC and git in a site's folder, and turn their failures into errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stages.common import settings
from stages.common.errors import InputError
from stages.common.revision import run_git

Done = subprocess.CompletedProcess[str]

ROOT = Path(__file__).resolve().parents[2]
"""Root of the repository that this code stands in."""


def environment() -> dict[str, str]:
    """Return the environment of a command: this interpreter's programs come first, and it finds this code."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def run_dvc(site: Path, *arguments: str) -> Done:
    """Run the DVC of this interpreter, its output kept."""
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=site, env=environment(), capture_output=True, text=True, check=False)


def stream_dvc(site: Path, *arguments: str) -> int:
    """Run the DVC of this interpreter, its output as it comes; return its exit code."""
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=site, env=environment(), check=False).returncode


def require(done: Done, *, what: str, fix: str) -> str:
    """Return the output of a command that had to succeed.

    Raises
    ------
    InputError
        It failed: `what` went wrong, the command's last words, and the fix.
    """
    if done.returncode:
        raise InputError(what, where=" ".join(done.args[-4:]), found=last_words(done), fix=fix)
    return done.stdout.strip()


def last_words(done: Done) -> str:
    """Return a command's error message, without the hints and decorations around it."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "error", "fatal"))]
    return " ".join((errors or lines)[-2:])[:500]


def in_git(site: Path) -> bool:
    """Whether the site stands in a git repository with a commit."""
    return run_git(site, "rev-parse", "--verify", "--quiet", "HEAD").returncode == 0


def default_remote(site: Path) -> str:
    """Return the address of DVC's default remote; empty where there is none."""
    name = run_dvc(site, "config", "core.remote").stdout.strip()
    url = run_dvc(site, "config", f"remote.{name}.url").stdout.strip() if name else ""
    # A folder's path is kept relative to the file that names it.
    return str((settings.repository_root() / ".dvc" / url).resolve()) if url and "://" not in url else url
