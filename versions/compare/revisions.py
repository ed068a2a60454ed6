"""What git knows of a site: revisions, DVC's experiments, and files as they were."""

from __future__ import annotations

import subprocess
from pathlib import Path

EXPERIMENTS = "refs/exps/"
"""Where DVC keeps experiments: ``refs/exps/<first two digits of the base>/<its rest>/<name>``, each a commit."""

INTERNAL = ("exec", "stash", "tempstash", "celery")
"""DVC's own references below `EXPERIMENTS`."""


def git(site: Path, *arguments: str) -> bytes | None:
    """What git prints, run in the site's folder; None where it fails."""
    done = subprocess.run(["git", "-C", str(site), *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def commit_of(site: Path, revision: str) -> str | None:
    """Full hash of the commit that a revision names, or None."""
    if not revision or revision.startswith("-"):
        return None
    found = git(site, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return found.decode().strip() if found else None


def file_at(site: Path, commit: str, name: str) -> bytes | None:
    """Content of a file of the site at a commit; `name` is relative to the site's folder."""
    return git(site, "show", f"{commit}:./{name}")


def experiments(site: Path) -> dict[str, list[str]]:
    """Commits of each experiment's name, the newest first; a name may stand on several bases."""
    listed = git(site, "for-each-ref", "--sort=-committerdate", "--format=%(refname) %(objectname)", EXPERIMENTS)
    found: dict[str, list[str]] = {}
    for line in (listed or b"").decode().splitlines():
        reference, commit = line.split()
        if reference.removeprefix(EXPERIMENTS).split("/")[0] not in INTERNAL:
            found.setdefault(reference.rpartition("/")[2], []).append(commit)
    return found


def branches_and_tags(site: Path) -> list[str]:
    """Short names."""
    listed = git(site, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
    return (listed or b"").decode().split()
