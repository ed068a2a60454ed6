"""A version of a site: its parameters, its metrics and its model, wherever they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stages.common.errors import InputError
from stages.common.params.schema import Params
from stages.common.revision import DIRTY
from stages.common.run.documents import parse_json, parse_lock, parse_yaml
from stages.common.run.flatten import flatten
from stages.common.run.records import file_md5
from versions.compare import revisions
from versions.compare.flat import metric_numbers, param_texts
from versions.compare.objects import Objects, dep_md5
from versions.registry.registered import RegisteredVersion

MODEL = "artifacts/train/model.onnx"
STAGES_WITH_METRICS = ("train", "evaluate", "area")

BY_PARAM = {"fused": "outlines", "image": "image"}
"""Product by `area.outlines`."""

Read = Callable[[str], bytes | None]
"""Name of a file of the site to its content in a version, or None."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One side of a comparison."""

    name: str
    """Name as the user gave it."""
    kind: str
    commit: str | None
    params: Mapping[str, str]
    """Value, as text, by dotted name."""
    metrics: Mapping[str, float]
    """Value by ``stage/part/name``."""
    lock: Mapping[str, Any]
    """Stages of its dvc.lock; empty where unknown."""
    model: Path
    """File of the model that it trained, not of the one it maps with, which may be the champion."""
    model_md5: str
    data_dvc_md5: str | None
    """MD5 of its data.dvc, which names its data."""
    area_product: str | None = None
    """Product of the areas in its metrics; None in versions that do not say it."""
    notes: tuple[str, ...] = ()


def from_workspace(site: Path) -> Version:
    """Return the site's files as they stand."""
    model = site / MODEL
    if not model.is_file():
        raise InputError(
            "the workspace has no model", where=MODEL, expected="the model that `train` writes", found="nothing",
            fix="`make repro` trains it, `dvc checkout` or `dvc pull` gets it",
        )  # fmt: skip
    return _version("workspace", "workspace", None, lambda name: _bytes(site / name), model)


def from_commit(site: Path, name: str, kind: str, commit: str, objects: Objects) -> Version:
    """Return the files as they were at a commit, the model from DVC's cache or remote.

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
            "the model of this version cannot be found", where=f"{name} ({commit[:7]})",
            expected=f"MD5 {md5} in DVC's cache or remote" if md5 else "a trained model in its dvc.lock",
            found="nothing",
            fix="`dvc push` where it was trained, then compare again; or check it out and `make repro`",
        )  # fmt: skip
    return _version(name, kind, commit, read, model)


def from_registry(site: Path, name: str, registered: RegisteredVersion, folder: Path) -> Version:
    """Return a registered model with the metrics of its run; its lock is that of the commit that trained this model."""
    model, tags, documents = registered.fetch_model(folder), registered.tags, registered.fetch_metrics(folder)
    commit = revisions.commit_of(site, tags.get("git_commit", "").removesuffix(DIRTY))
    commits = [*revisions.experiments(site).get(tags.get("experiment_name", ""), []), *filter(None, [commit])]
    return Version(
        name=name,
        kind=f"registered model {registered.model_name} version {registered.number}",
        commit=commit,
        params=registered.params,
        metrics=metric_numbers(documents),
        area_product=recorded_product(documents, registered.params.get("area.outlines")),
        lock=_lock_with(site, commits, registered.md5),
        model=model,
        model_md5=registered.md5,
        data_dvc_md5=tags.get("data_dvc_md5"),
    )


def recorded_product(documents: Mapping[str, Mapping[str, Any]], outlines: str | None) -> str | None:
    """Return the product of the areas in a version's metrics; None in versions that do not say it.

    Parameters
    ----------
    documents
        Metrics by stage.
    outlines
        `area.outlines` where the version's own parameters name it: what it is by default has changed.
    """
    stated = documents.get("area", {}).get("product") or BY_PARAM.get(outlines or "")
    return None if stated is None else str(stated)


def lock_of(site: Path) -> Mapping[str, Any]:
    """Return the stages of the workspace's dvc.lock."""
    return _stages(_bytes(site / "dvc.lock"))


def _version(name: str, kind: str, commit: str | None, read: Read, model: Path) -> Version:
    raw = parse_yaml(read("params.yaml") or b"", f"{name}: params.yaml")
    filled, note = _with_defaults(raw)
    documents = {
        stage: parse_json(content, f"{name}: metrics/{stage}.json")
        for stage in STAGES_WITH_METRICS
        if (content := read(f"metrics/{stage}.json"))
    }
    return Version(
        name=name,
        kind=kind,
        commit=commit,
        params=param_texts(flatten(filled)),
        metrics=metric_numbers(documents),
        area_product=recorded_product(documents, flatten(raw).get("area.outlines")),
        lock=_stages(read("dvc.lock")),
        model=model,
        model_md5=file_md5(model),
        data_dvc_md5=_md5(read("data.dvc")),
        notes=tuple(filter(None, [note])),
    )


def _with_defaults(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Return the parameters with their defaults, and a note where those of an older schema cannot be filled in."""
    try:
        return Params.model_validate(raw).model_dump(mode="json"), ""
    except ValidationError:
        return raw, "its parameters do not fit today's schema: they are shown as they stand, without defaults"


def _stages(content: bytes | None) -> Mapping[str, Any]:
    return parse_lock(content or b"", "dvc.lock")


def _lock_with(site: Path, commits: Sequence[str], model_md5: str) -> Mapping[str, Any]:
    """Return the stages of the first commit's dvc.lock that trained this model; empty where none did."""
    locks = (_stages(revisions.file_at(site, commit, "dvc.lock")) for commit in commits)
    return next((lock for lock in locks if dep_md5(lock, "evaluate", MODEL) == model_md5), {})


def _md5(content: bytes | None) -> str | None:
    return hashlib.md5(content, usedforsecurity=False).hexdigest() if content else None


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
