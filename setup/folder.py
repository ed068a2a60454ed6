"""Writing a new site's folder: whole or not at all, and never over another."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from stages.common.errors import InputError, ParamsError
from stages.common.params.schema import Params, load_params
from stages.common.run.replace import flush

SCHEMA = "params.schema.json"
"""Schema of params.yaml, beside it: editors with a YAML language server complete and check by it."""

LINKS = ("stages", "docker")

METRICS = ("train", "evaluate", "area")
"""Stages whose metrics DVC lists: until they have run an empty document stands there, or DVC fails to load it."""


def require_free(site: Path) -> None:
    """Refuse a name that is taken, also by a file or by a link that leads nowhere.

    Raises
    ------
    InputError
        It is.
    """
    if site.exists() or site.is_symlink():
        raise InputError(
            "there is such a site already, and it is not written over",
            where=site,
            expected="a new name",
            found="a site" if (site / "params.yaml").exists() else "something else of that name",
            fix="take another NAME, or move the old one away",
        )


def require_writable(folder: Path) -> None:
    """Refuse a folder in which this user may make no other, before anything is written.

    Raises
    ------
    InputError
        It is such a folder, or no folder.
    """
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK, effective_ids=True)):
        raise InputError(
            "no site can be written here",
            where=folder,
            expected=f"a folder that user {os.geteuid()} may write to",
            found=f"mode {folder.stat().st_mode & 0o7777:o}, of user {folder.stat().st_uid}, or a read-only disk",
            fix="run this as its owner, change its mode (`chmod u+rwx`), or work in a checkout that can be written",
        )


def write_site(root: Path, name: str, text: str) -> Params:
    """Write ``sites/<name>``: params.yaml, its schema, dvc.yaml and the links; return the parameters.

    Raises
    ------
    InputError
        The name is taken, or `sites/` cannot be written.
    ParamsError
        The text breaks the schema; nothing is written.
    """
    site = root / "sites" / name
    require_free(site)
    require_writable(site.parent)
    draft = site.with_name(f".{name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
    draft.mkdir(parents=True)
    try:
        (draft / "params.yaml").write_text(text, encoding="utf-8")
        params = _checked(draft / "params.yaml")
        (draft / SCHEMA).write_text(json.dumps(Params.model_json_schema(), indent=1) + "\n", encoding="utf-8")
        shutil.copy(root / "dvc.yaml", draft / "dvc.yaml")
        (draft / "metrics").mkdir()
        for stage in METRICS:
            (draft / f"metrics/{stage}.json").write_text("{}\n", encoding="utf-8")
        for link in LINKS:
            (draft / link).symlink_to(Path("../..") / link)
        flush(draft)
        require_free(site)
        draft.rename(site)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return params


def _checked(path: Path) -> Params:
    """Load parameters that nobody has but this command: what is wrong with them is wrong with its words."""
    try:
        return load_params(path)
    except ParamsError as error:
        fix = "correct the words or the files that these values come from"
        raise ParamsError(error.what, where="make site", expected=error.expected, found=error.found, fix=fix) from error
