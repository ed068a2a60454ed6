"""Check that a file which a user names is there, and is not a Git LFS pointer in its place."""

from __future__ import annotations

import os
from pathlib import Path

from stages.common.errors import InputError

LFS_POINTER = b"version https://git-lfs"


def require_file(path: Path, *, what: str, expected: str, fix: str) -> None:
    """Refuse a path without a file, or with a Git LFS pointer in its place.

    Parameters
    ----------
    what
        Kind of the file, such as ``raster``.
    expected
        What should be there.
    fix
        What to do if there is no file.

    Raises
    ------
    InputError
        There is no file, or a pointer in its place.
    """
    if not path.is_file():
        raise InputError(f"the {what} is absent", where=path, expected=expected, found="nothing", fix=fix)
    with path.open("rb") as stream:
        head = stream.read(len(LFS_POINTER))
    if head == LFS_POINTER:
        raise InputError(
            f"a Git LFS pointer stands in place of the {what}",
            where=path,
            expected=expected,
            found=f"{path.stat().st_size} bytes of text",
            fix="run `git lfs pull` where the file comes from",
        )


def require_inside(path: Path, folder: Path) -> None:
    """Refuse a path that leads out of a folder by its name; links are the owner's own, and are not followed.

    Raises
    ------
    InputError
        It does.
    """
    whole, top = (Path(os.path.abspath(name)) for name in (path, folder))  # noqa: PTH100 (it would follow links)
    if not whole.is_relative_to(top):
        raise InputError(
            "a file lies outside its folder",
            where=path,
            expected=f"a path in {folder}",
            found="a path that leads out of it",
            fix="run `dvc pull` or `make ingest`; do not use what names such a path",
        )
