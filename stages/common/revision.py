"""The git revision that the code stands at."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from stages.common import settings

DIRTY, UNKNOWN = "-dirty", "unknown"

WRITTEN_BY_THE_PIPELINE = (":(exclude,glob)**/dvc.lock", ":(exclude,glob)**/metrics/*.json")
"""A run rewrites these tracked files itself; they make no working tree dirty."""


def git_commit(root: Path) -> str:
    """Revision the code stands at, with ``-dirty`` where tracked files differ from it; ``unknown`` without git."""
    if given := settings.get(settings.GIT_COMMIT, ""):
        return given
    revision = _git(root, "rev-parse", "HEAD")
    if revision is None:
        return UNKNOWN
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN_BY_THE_PIPELINE)
    return f"{revision}{DIRTY}" if changed else revision


def git_remote(root: Path) -> str:
    """Web address of ``origin``, without credentials and ``.git``; empty where it has none (a path, SSH, no git)."""
    found = settings.get(settings.GIT_REMOTE, "") or _git(root, "remote", "get-url", "origin") or ""
    parts = urlsplit(found)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/').removesuffix('.git')}"


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder and keep its output, bytes that are not UTF-8 as surrogates; without git the code is 127."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"git cannot be run: {error}")
    output, errors = (part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(command, done.returncode, output, errors)


def _git(root: Path, *arguments: str) -> str | None:
    done = run_git(root, *arguments)
    return None if done.returncode else done.stdout.strip()
