"""Running DVC and git in a site's folder, and what to say when they fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from stages.common import settings
from stages.common.errors import InputError

Done = subprocess.CompletedProcess[str]


def dvc(site: Path, *arguments: str) -> Done:
    """Run DVC, its output kept."""
    return _run([sys.executable, "-m", "dvc", *arguments], site)


def git(site: Path, *arguments: str) -> Done:
    """Run git, its output kept."""
    return _run(["git", *arguments], site)


def must(done: Done, *, what: str, fix: str) -> str:
    """Output of a command that had to succeed.

    Raises
    ------
    InputError
        It failed: `what` it was to do, its last words, and the fix.
    """
    if done.returncode:
        raise InputError(what, where=" ".join(done.args[-4:]), found=last_words(done), fix=fix)
    return done.stdout.strip()


def last_words(done: Done) -> str:
    """What a command said in the end: its error, without the hints and decorations around it."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "error", "fatal"))]
    return " ".join((errors or lines)[-2:])[:500]


def in_git(site: Path) -> bool:
    """Whether the site stands in a git repository with a commit."""
    return git(site, "rev-parse", "--verify", "--quiet", "HEAD").returncode == 0


def default_remote(site: Path) -> str:
    """Address of DVC's default remote; empty: there is none."""
    name = dvc(site, "config", "core.remote").stdout.strip()
    url = dvc(site, "config", f"remote.{name}.url").stdout.strip() if name else ""
    # A folder's path is kept relative to the file that names it.
    return str((settings.repository_root() / ".dvc" / url).resolve()) if url and "://" not in url else url


def _run(command: Sequence[str], folder: Path) -> Done:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
