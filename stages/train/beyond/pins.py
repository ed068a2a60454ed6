"""Folders beyond the site: there, and with the content that params.yaml pins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stages.common.errors import ContractError, ParamsError
from stages.common.params.learning import PinnedFolder
from stages.common.run.artefacts import Artefact
from stages.common.run.records import folder_md5


def require_pinned(pin: PinnedFolder, *, name: str) -> Path:
    """Return the folder of the parameter `name`, whose content has the hash that is pinned.

    Raises
    ------
    ParamsError
        It is absent, not pinned, or has another content.
    """
    folder = Path(pin.path)
    if not folder.is_dir():
        raise ParamsError(
            "a folder that a training shall learn from is absent", where=f"params.yaml: {name}", expected="a folder",
            found=folder, fix="`dvc pull` or `make repro` in the site that it belongs to; or correct the path",
        )  # fmt: skip
    if (content := folder_md5(folder)) != pin.md5:
        raise ParamsError(
            "a folder that a training shall learn from has not the content that params.yaml pins",
            where=f"params.yaml: {name}, {folder}",
            expected=pin.md5 or "its hash, so that the same parameters give the same model",
            found=content,
            fix=f"write `md5: {content}` to learn from what is there; `dvc checkout` brings an earlier content back",
        )
    return folder


def check_kinds(folder: Path, files: Mapping[str, Artefact]) -> None:
    """Check that a folder holds `files` (artefact by name).

    Raises
    ------
    ContractError
        One is absent, or is not what it must be.
    """
    for name, artefact in files.items():
        if not (folder / name).is_file():
            raise ContractError(
                "a file that a training shall learn from is absent", where=folder / name, expected=artefact.summary,
                fix="name a folder that `patches` or `train` has made, whole",
            )  # fmt: skip
        artefact.check(folder / name)
