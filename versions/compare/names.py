"""Which version a name means."""

from __future__ import annotations

import difflib
from contextlib import suppress
from pathlib import Path

from stages.common.errors import InputError
from versions.compare import revisions
from versions.compare.objects import Objects
from versions.compare.version import Version, from_commit, from_registry, from_workspace
from versions.registry.registered import Registry

WORKSPACE = "workspace"
KINDS = ("git", "exp", "model")
"""Before a colon: says what is meant where a name could be two things."""

NEAREST, LISTED = 5, 12


def resolve(name: str, site: Path, *, objects: Objects, registry: Registry, folder: Path) -> Version:
    """The version that a name means; what the registry hands out is put into `folder`.

    In this order: ``workspace``; an experiment; a model's number, as ``12`` or ``v12``; a git revision; an alias of a
    registered model. ``exp:``, ``git:`` or ``model:`` before it says which.

    Raises
    ------
    InputError
        It means nothing, or an experiment of this name stands on several bases.
    """
    kind, bare = _kind(name)
    if bare == WORKSPACE and not kind:
        return from_workspace(site)
    if kind in ("", "exp") and (commit := _experiment(site, bare)):
        return from_commit(site, name, "experiment", commit, objects)
    is_number = bare.removeprefix("v").isdigit()
    if kind == "model" or (not kind and is_number):
        number = registry.names().get(bare)
        if number:
            return from_registry(site, name, number, registry, folder)
    if kind in ("", "git") and (commit := revisions.commit_of(site, bare)):
        return from_commit(site, name, "git revision", commit, objects)
    if not kind and not is_number and (number := registry.names().get(bare)):
        return from_registry(site, name, number, registry, folder)
    raise _unknown(name, bare, site, registry)


def _kind(name: str) -> tuple[str, str]:
    before, colon, after = name.partition(":")
    return (before, after) if colon and before in KINDS else ("", name)


def _experiment(site: Path, name: str) -> str | None:
    commits = revisions.experiments(site).get(name, [])
    if len(commits) > 1:
        raise InputError(
            "experiments on several bases have this name", where=name, expected="one of them by its commit",
            found=", ".join(commit[:7] for commit in commits), fix="name its commit",
        )  # fmt: skip
    return commits[0] if commits else None


def _unknown(name: str, bare: str, site: Path, registry: Registry) -> InputError:
    known = [WORKSPACE, *revisions.experiments(site), *revisions.branches_and_tags(site)]
    with suppress(InputError):
        known += registry.names()
    near = difflib.get_close_matches(bare, known, n=NEAREST, cutoff=0.4)
    return InputError(
        "there is no such version",
        where=name or "an empty name",
        expected="workspace, an experiment, a git revision, or a registered model's version or alias",
        found=f"near it: {', '.join(near)}" if near else f"there are: {', '.join(known[:LISTED])}",
        fix="`dvc exp list`, `git branch --all`, `git tag` and `make ui` list them",
    )
