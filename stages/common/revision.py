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
    revision = _git(root, "rev-parse", "HEAD")
    if revision is None:
        return settings.get(settings.GIT_COMMIT, UNKNOWN)
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN_BY_THE_PIPELINE)
    return f"{revision}{DIRTY}" if changed else revision


def git_remote(root: Path) -> str:
    """Return the web address of ``origin`` without credentials and ``.git``; empty for a path, SSH or no git."""
    address = _git(root, "remote", "get-url", "origin") or settings.get(settings.GIT_REMOTE, "")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/').removesuffix('.git')}"


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder, as `run_program`.

    Git refuses a repository of another owner, for what its settings may run. This one's code is running already.
    """
    start = folder.resolve()
    top = next((place for place in (start, *start.parents) if (place / ".git").exists()), start)
    return run_program(["git", "-c", f"safe.directory={top}", "-C", str(folder), *arguments])


def history_hint(folder: Path) -> str:
    """Return what fetches the rest of the history where the clone is shallow, to begin a fix with; else nothing."""
    shallow = _git(folder, "rev-parse", "--is-shallow-repository") == "true"
    return "this clone is shallow: `git fetch --unshallow --tags` fetches the rest of its history; " if shallow else ""


def run_program(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program and keep its output, bytes that are not UTF-8 as surrogates; without it the code is 127."""
    try:
        answer = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} cannot be run: {error}")
    output, errors = (part.decode("utf-8", "surrogateescape") for part in (answer.stdout, answer.stderr))
    return subprocess.CompletedProcess(command, answer.returncode, output, errors)


def _git(root: Path, *arguments: str) -> str | None:
    answer = run_git(root, *arguments)
    return None if answer.returncode else answer.stdout.strip()
