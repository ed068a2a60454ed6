"""Which version a name means."""

from __future__ import annotations

import difflib
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from stages.common.errors import InputError
from stages.common.revision import history_hint
from versions.compare import revisions
from versions.compare.objects import Objects
from versions.compare.version import Version, from_commit, from_registry, from_workspace
from versions.registry.open import read_registry

WORKSPACE = "workspace"
KINDS = ("git", "exp", "model")
"""Before a colon: says what is meant where a name could be two things."""

NEAREST, LISTED = 5, 12


class ModelNames:
    """Names of the registered versions of a site; the registry is asked once, and only where a name may be one."""

    def __init__(self, site_name: str) -> None:
        self.site_name = site_name

    @cached_property
    def numbers(self) -> dict[str, str]:
        """Number by name: ``12``, ``v12``, and the aliases; empty without a registry."""
        with read_registry(self.site_name) as registry:
            if registry is None or not registry.versions:
                return {}
            names = {number: number for number in registry.versions}
            return names | {f"v{number}": number for number in names} | registry.aliases


def resolve_version(name: str, site: Path, *, objects: Objects, models: ModelNames, folder: Path) -> Version:
    """Return the version that a name means; what the registry hands out is put into `folder`.

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
    if (kind == "model" or (not kind and is_number)) and (number := models.numbers.get(bare)):
        return _from_registry(site, name, number, models.site_name, folder)
    if kind in ("", "git") and (commit := revisions.commit_of(site, bare)):
        return from_commit(site, name, "git revision", commit, objects)
    if not kind and not is_number and (number := models.numbers.get(bare)):
        return _from_registry(site, name, number, models.site_name, folder)
    raise _unknown(name, bare, site, models)


def _from_registry(site: Path, name: str, number: str, site_name: str, folder: Path) -> Version:
    with read_registry(site_name) as registry:
        assert registry is not None, "it has told a name already"
        return from_registry(site, name, registry.version(number), folder)


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


def _unknown(name: str, bare: str, site: Path, models: ModelNames) -> InputError:
    names = [WORKSPACE, *revisions.experiments(site), *revisions.branches_and_tags(site)]
    with suppress(InputError):
        names += models.numbers
    missing = "" if name else "give both A= and B=; "
    near = difflib.get_close_matches(bare, names, n=NEAREST, cutoff=0.4)
    return InputError(
        "there is no such version",
        where=name or "an empty name",
        expected="workspace, an experiment, a git revision, or a registered model's version or alias",
        found=f"near it: {', '.join(near)}" if near else f"there are: {', '.join(names[:LISTED])}",
        fix=f"{missing}{history_hint(site)}`dvc exp list`, `git branch --all`, `git tag` and `make ui` list them",
    )
