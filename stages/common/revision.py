"""The git revision that the code stands at."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from stages.common import settings

DIRTY, UNKNOWN = "-dirty", "unknown"

WRITTEN_BY_THE_PIPELINE = (":(exclude,glob)**/dvc.lock", ":(exclude,glob)**/metrics/*.json")
"""Tracked files that a run writes itself; a change of them does not make the working tree dirty."""


def git_commit(root: Path) -> str:
    """Return the revision of the code, with ``-dirty`` where tracked files differ from it; ``unknown`` without git."""
    if commit := settings.get(settings.GIT_COMMIT, ""):
        return commit
    revision = _git(root, "rev-parse", "HEAD")
    if revision is None:
        return UNKNOWN
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN_BY_THE_PIPELINE)
    return f"{revision}{DIRTY}" if changed else revision


def git_remote(root: Path) -> str:
    """Return the web address of ``origin`` without credentials and ``.git``; empty for a path, SSH or no git."""
    address = settings.get(settings.GIT_REMOTE, "") or _git(root, "remote", "get-url", "origin") or ""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/').removesuffix('.git')}"


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder and keep its output, bytes that are not UTF-8 as surrogates; without git the code is 127."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"git cannot be run: {error}")
    output, errors = (part.decode("utf-8", "surrogateescape") for part in (answer.stdout, answer.stderr))
    return subprocess.CompletedProcess(command, answer.returncode, output, errors)


def _git(root: Path, *arguments: str) -> str | None:
    answer = run_git(root, *arguments)
    return None if answer.returncode else answer.stdout.strip()
