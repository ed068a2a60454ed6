"""The git revision that the code stands at."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stages.common import settings

WRITTEN_BY_THE_PIPELINE = (":(exclude,glob)**/dvc.lock", ":(exclude,glob)**/metrics/*.json")
"""A run rewrites these tracked files itself; they make no working tree dirty."""


def git_commit(root: Path) -> str:
    """Revision the code stands at, with ``-dirty`` where tracked files differ from it; ``unknown`` without git."""
    if given := settings.get(settings.GIT_COMMIT, ""):
        return given
    revision = _git(root, "rev-parse", "HEAD")
    if revision is None:
        return "unknown"
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN_BY_THE_PIPELINE)
    return f"{revision}-dirty" if changed else revision


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
