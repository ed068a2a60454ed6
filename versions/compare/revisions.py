"""A site in git: revisions, DVC's experiments, and files as they were."""

from __future__ import annotations

from pathlib import Path

from stages.common.revision import run_git

EXPERIMENTS = "refs/exps/"
"""Where DVC keeps experiments: ``refs/exps/<first two digits of the base>/<its rest>/<name>``, each a commit."""

INTERNAL = ("exec", "stash", "tempstash", "celery")
"""DVC's own references below `EXPERIMENTS`."""


def commit_of(site: Path, revision: str) -> str | None:
    """Return the full hash of the commit that a revision names, or None."""
    if not revision or revision.startswith("-"):
        return None
    parsed = run_git(site, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return None if parsed.returncode else parsed.stdout.strip()


def file_at(site: Path, commit: str, name: str) -> bytes | None:
    """Return the content of a file of the site at a commit, or None; `name` is relative to the site's folder."""
    file = run_git(site, "show", f"{commit}:./{name}")
    return None if file.returncode else file.stdout.encode("utf-8", "surrogateescape")


def experiments(site: Path) -> dict[str, list[str]]:
    """Return the commits of each experiment's name, the newest first; a name may stand on several bases."""
    listing = run_git(site, "for-each-ref", "--sort=-committerdate", "--format=%(refname) %(objectname)", EXPERIMENTS)
    commits: dict[str, list[str]] = {}
    for line in listing.stdout.splitlines():
        reference, commit = line.split()
        if reference.removeprefix(EXPERIMENTS).split("/")[0] not in INTERNAL:
            commits.setdefault(reference.rpartition("/")[2], []).append(commit)
    return commits


def branches_and_tags(site: Path) -> list[str]:
    """Return the short names of all branches and tags."""
    return run_git(
        site, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"
    ).stdout.split()
