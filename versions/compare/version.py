"""A version of a site: its parameters, its numbers and its model, wherever they are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from stages.common.errors import InputError
from stages.common.params.schema import Params
from stages.common.run.flatten import flatten
from stages.common.run.records import file_md5
from versions.compare import revisions
from versions.compare.flat import numbers, texts
from versions.compare.objects import Objects, dep_md5
from versions.registry.registered import Registry

MODEL = "artifacts/train/model.onnx"
MEASURED = ("train", "evaluate", "area")

Read = Callable[[str], bytes | None]
"""Name of a file of the site to its content in a version, or None."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One side of a comparison."""

    name: str
    """As it was asked for."""
    kind: str
    commit: str | None
    params: Mapping[str, str]
    """Dotted name to value, as text."""
    metrics: Mapping[str, float]
    """``stage/part/name`` to value."""
    lock: Mapping[str, Any]
    """Stages of its dvc.lock; empty where unknown."""
    model: Path
    """The model it trained, not the one it maps with, which may be the champion."""
    model_md5: str
    data_dvc_md5: str | None
    """MD5 of its data.dvc: what its data was."""
    notes: tuple[str, ...] = ()


def from_workspace(site: Path) -> Version:
    """The files as they stand."""
    model = site / MODEL
    if not model.is_file():
        raise InputError(
            "the workspace has no model", where=MODEL, expected="the model that `train` writes", found="nothing",
            fix="`make repro` trains it, `dvc checkout` or `dvc pull` gets it",
        )  # fmt: skip
    return _version("workspace", "workspace", None, lambda name: _bytes(site / name), model)


def from_commit(site: Path, name: str, kind: str, commit: str, objects: Objects) -> Version:
    """Files as they were at a commit, the model from DVC's cache or remote.

    Raises
    ------
    InputError
        The site was not there, its model was not recorded, or neither cache nor remote has it.
    """

    def read(file: str) -> bytes | None:
        return revisions.file_at(site, commit, file)

    if read("params.yaml") is None:
        raise InputError(
            "the site is not part of this version", where=f"{name} ({commit[:7]})", expected="its params.yaml",
            found="nothing", fix="name a later version",
        )  # fmt: skip
    md5 = dep_md5(_stages(read("dvc.lock")), "evaluate", MODEL)
    model = objects.file(md5) if md5 else None
    if model is None:
        raise InputError(
            "the model of this version cannot be had", where=f"{name} ({commit[:7]})",
            expected=f"MD5 {md5} in DVC's cache or remote" if md5 else "a trained model in its dvc.lock",
            found="nothing",
            fix="`dvc push` where it was trained, then compare again; or check it out and `make repro`",
        )  # fmt: skip
    return _version(name, kind, commit, read, model)


def from_registry(site: Path, name: str, number: str, registry: Registry, folder: Path) -> Version:
    """A registered model with the numbers of its run; its lock is that of the commit that trained this model."""
    found = registry.fetch(number, folder / f"v{number}")
    md5 = file_md5(found.model)
    commit = revisions.commit_of(site, found.git_commit) if found.git_commit else None
    commits = [*revisions.experiments(site).get(found.experiment or "", []), *filter(None, [commit])]
    return Version(
        name=name,
        kind=f"registered model {registry.name} version {number}",
        commit=commit,
        params=found.params,
        metrics=numbers(found.metrics),
        lock=_lock_with(site, commits, md5),
        model=found.model,
        model_md5=md5,
        data_dvc_md5=found.data_dvc_md5,
    )


def lock_of(site: Path) -> Mapping[str, Any]:
    """Stages of the workspace's dvc.lock."""
    return _stages(_bytes(site / "dvc.lock"))


def _version(name: str, kind: str, commit: str | None, read: Read, model: Path) -> Version:
    raw = yaml.safe_load(read("params.yaml") or b"")
    filled, note = _with_defaults(raw)
    documents = {one: json.loads(content) for one in MEASURED if (content := read(f"metrics/{one}.json"))}
    return Version(
        name=name,
        kind=kind,
        commit=commit,
        params=texts(flatten(filled)),
        metrics=numbers(documents),
        lock=_stages(read("dvc.lock")),
        model=model,
        model_md5=file_md5(model),
        data_dvc_md5=_md5(read("data.dvc")),
        notes=tuple(filter(None, [note])),
    )


def _with_defaults(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Parameters with what they leave out, and a note where an older schema's cannot be filled."""
    try:
        return Params.model_validate(raw).model_dump(mode="json"), ""
    except ValidationError:
        return raw, "its parameters break today's schema: shown as they stand, defaults not filled in"


def _stages(content: bytes | None) -> Mapping[str, Any]:
    return dict((yaml.safe_load(content) or {}).get("stages", {})) if content else {}


def _lock_with(site: Path, commits: Sequence[str], model_md5: str) -> Mapping[str, Any]:
    """Stages of the first commit's dvc.lock that trained this model; empty where none did."""
    locks = (_stages(revisions.file_at(site, commit, "dvc.lock")) for commit in commits)
    return next((lock for lock in locks if dep_md5(lock, "evaluate", MODEL) == model_md5), {})


def _md5(content: bytes | None) -> str | None:
    return hashlib.md5(content, usedforsecurity=False).hexdigest() if content else None


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
