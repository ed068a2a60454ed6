"""DVC writes dvc.lock and .dvc files in place: a kill in that instant leaves a file that is empty or cut short.

So a copy of each is kept while a command of DVC writes. Where a copy is still there, the command was killed, and a file
that is not whole gets its earlier content back: DVC then finds out what has changed since. After a loss of power its
cache may not be whole either (`spoilt_cache`).
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from stages.common.errors import InputError
from stages.common.run.replace import SCRATCH, flush, flush_written, replace_file
from stages.common.run.site_lock import site_lock
from stages.common.yaml_text import load_yaml
from versions.tools.spoilt_cache import cache_folder, remove_spoilt_note, remove_spoilt_objects
from versions.tools.waiting import dvc_folder

WRITTEN_BY_DVC = {
    "dvc.lock": "",
    "data.dvc": "; where git has none, remove it and run `make ingest`",
    "models/champion/model.onnx.dvc": "; where git has none, remove it and run `make promote`",
}
"""Files, and what else helps where git does not have them."""

KEPT_BY_DVC = ("data", "models", "artifacts")
"""Folders of a site whose files DVC may put there anew, out of its cache."""

AT_WORK = SCRATCH / "dvc-writes"
"""There while a command of DVC writes, after the copies: what has no copy then was absent before."""

MERGE_MARK = b"<<<<<<<"
"""Begins a line of a file that git could not merge: nothing that a kill leaves."""


@contextlib.contextmanager
def working_on_site(command: str) -> Iterator[int | None]:
    """Keep other commands from changing the site in the working directory, and mend what a killed one has left.

    Yields what `site_lock` does.

    Raises
    ------
    InputError
        As `require_no_links`, `site_lock` and `mend`.
    """
    require_no_links(Path())
    with site_lock(command) as lock:
        mend(Path())
        yield lock


def require_no_links(site: Path) -> None:
    """Check that what DVC records lies in the repository: it takes no file behind a link to another place.

    Raises
    ------
    InputError
        A folder, such as ``data`` or ``artifacts/predict``, is a link out of the repository.
    """
    root = dvc_folder(site).parent
    for folder in (site / name for name in KEPT_BY_DVC):
        for path in (folder, *folder.glob("[!.]*")):
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise InputError(
                    "a link stands in the place of a folder: DVC records no files outside the repository",
                    where=path.absolute(), expected="a folder", found=f"a link to {path.resolve()}",
                    fix=f"`rm {path}`, and move {path.resolve()} to its place; to use another disk, keep the checkout "
                    f"there, or mount the disk at `artifacts` or the site's folder; DVC's cache may be elsewhere",
                )  # fmt: skip


@contextlib.contextmanager
def copies_kept(site: Path) -> Iterator[None]:
    """Keep copies of what DVC writes within this block; a kill leaves them behind for `mend`.

    DVC does not wait for the disk. So at the end its files, its cache and what it took from there are waited for: the
    cache believes in what it has, and a loss of power would leave empty files there.
    """
    mend(site)
    for name in WRITTEN_BY_DVC:
        if (site / name).is_file():
            _copy_of(site, name).parent.mkdir(parents=True, exist_ok=True)
            _put(site / name, _copy_of(site, name))
    began_s = time.time()
    _note(site / AT_WORK)
    yield
    for name in WRITTEN_BY_DVC:
        if (site / name).is_file():
            flush(site / name)
    for folder in (cache_folder(site), *(site / name for name in KEPT_BY_DVC)):
        flush_written(folder, began_s)
    _forget(site)


def mend(site: Path) -> None:
    """Give a file that a killed command has cut short its earlier content back, and say so.

    One that was absent before is removed, and so is what a loss of power has left in DVC's own folder.

    Raises
    ------
    InputError
        One is empty, and there is no copy: the command that was killed was one of DVC itself.
    """
    killed = (site / AT_WORK).is_file()
    for name, otherwise in WRITTEN_BY_DVC.items():
        path, copy = site / name, _copy_of(site, name)
        if not path.is_file() or _is_whole(path):
            continue
        if copy.is_file():
            _put(copy, path)
            print(f"{name} was cut short when a command was killed: its earlier content is back", file=sys.stderr)
        elif killed:
            path.unlink()
            print(f"{name} was cut short when a command was killed: it is removed, as there was none", file=sys.stderr)
        elif not path.stat().st_size:
            raise InputError(
                f"{path.name} is empty: a command of DVC was killed while it wrote", where=path.absolute(),
                expected="what DVC has recorded", found="0 bytes",
                fix=f"`git checkout {name}`, then run this again{otherwise}",
            )  # fmt: skip
    if killed:
        remove_spoilt_objects(site, (site / AT_WORK).stat().st_mtime)
    remove_spoilt_note(site)
    _forget(site)


def put_back(path: Path, text: str) -> None:
    """Write an earlier text of one of these files again; a kill leaves the one or the other, whole."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    replace_file(draft, path)


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    if MERGE_MARK in content:
        return True
    try:
        return content.endswith(b"\n") and isinstance(load_yaml(content), dict)
    except (yaml.YAMLError, UnicodeDecodeError):
        return False


def _put(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, draft)
    replace_file(draft, target)


def _note(path: Path) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.touch()
    replace_file(draft, path)


def _forget(site: Path) -> None:
    (site / AT_WORK).unlink(missing_ok=True)
    for name in WRITTEN_BY_DVC:
        _copy_of(site, name).unlink(missing_ok=True)


def _copy_of(site: Path, name: str) -> Path:
    return site / SCRATCH / f"whole-{Path(name).name}"
