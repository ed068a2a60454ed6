"""One training on the patches of several finished sites, in a folder of its own; the sites stay as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from stages.common.errors import InputError
from stages.common.run.documents import read_yaml
from stages.common.run.records import folder_md5
from versions.tools.commands import environment

PATCHES = Path("artifacts/patches")


def train_on(sites: Sequence[Path], folder: Path, changes: Mapping[str, Any], *, start: Path | None = None) -> Path:
    """Train on the patches of all `sites` as the first of them would, which also validates; return the model's folder.

    A folder in which the same training has ended is taken as it stands.

    Parameters
    ----------
    folder
        Where params.yaml and artifacts/train are written.
    changes
        Values of the section `train` in place of the first site's.
    start
        Folder of the initial model; None: random weights.

    Raises
    ------
    InputError
        The training failed; it has said why.
    """
    first, *_ = sites
    text = yaml.safe_dump(joint_params(sites, changes, start), sort_keys=False)
    model, written = folder / "artifacts/train", folder / "params.yaml"
    if (model / "model.onnx").is_file() and written.read_text(encoding="utf-8") == text:
        return model
    (folder / "artifacts").mkdir(parents=True, exist_ok=True)
    link((first / PATCHES).resolve(), folder / PATCHES)
    written.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "stages.train"]
    if subprocess.run(command, cwd=folder, env=environment(), check=False).returncode:
        raise InputError(
            "a training on several sites failed", where=folder, expected="`train` succeeds",
            found="an error; its message is above", fix="correct its cause, then run this again",
        )  # fmt: skip
    return model


def joint_params(sites: Sequence[Path], changes: Mapping[str, Any], start: Path | None) -> dict[str, Any]:
    """Return params.yaml of the first site with the patches of the others, each pinned as it stands.

    The initial model is `start` or none: one that the first site names may have learned from the site that is left out.
    """
    params = read_yaml(sites[0] / "params.yaml")
    simulated = {"may_overlap": True} if params["site"].get("simulated") else {}
    pins = {
        "more_patches": [_pin(site / PATCHES) | simulated for site in sites[1:]],
        "initial_model": _pin(start) if start else None,
    }
    return params | {"train": {**(params.get("train") or {}), **changes, **pins}}


def link(target: Path, place: Path) -> None:
    """Let `place` be a link to `target`, whatever link it was before."""
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def _pin(folder: Path) -> dict[str, Any]:
    return {"path": str(folder.resolve()), "md5": folder_md5(folder)}
