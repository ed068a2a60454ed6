"""Tags that say where a run comes from. They never enter the state's hash."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stages.common import settings
from stages.common.records import file_md5

WRITTEN_BY_THE_PIPELINE = (":(exclude,glob)**/dvc.lock", ":(exclude,glob)**/metrics/*.json")
"""A run rewrites these tracked files itself; they make no working tree dirty."""


def tags(data_dvc: Path = Path("data.dvc")) -> dict[str, str]:
    """Git commit, runner, experiment name and the hash of the data's definition, as far as they are known."""
    known = {
        "git_commit": git_commit(settings.repository_root()),
        "runner": settings.get(settings.RUNNER, "native"),
        "experiment_name": settings.get(settings.EXPERIMENT_NAME, ""),
        "data_dvc_md5": file_md5(data_dvc) if data_dvc.is_file() else "",
    }
    return {key: value for key, value in known.items() if value}


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
