"""Putting a finished file or folder in the place of an earlier one, so that one whole version exists at every instant.

It survives a loss of power too: what is renamed is on the disk before, and its new name is before the earlier version
is removed. Two hidden neighbours of the final path are used: ``.<name>.old`` is always whole, ``.<name>.tmp`` never
counts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

from stages.common.errors import InputError

SCRATCH = Path("artifacts/.tmp")
"""Half-written outputs; ignored by DVC, on the same file system as their final place."""

CLOCK_STEP_S = 1.0
"""Times of files may be so much older than the clock says."""


def put_in_place(draft: Path, final: Path) -> None:
    """Move `draft` to `final`; an earlier version is renamed aside first and removed last.

    A link is followed, and a draft on another disk is copied to the final one first. A run that is killed in between
    leaves the earlier version aside: `recover` puts it back.

    Raises
    ------
    InputError
        The earlier version cannot be removed; it stands as it was.
    OSError
        The disk is full or the place cannot be written; the earlier version stands as it was.
    """
    final = final.resolve()
    final.parent.mkdir(parents=True, exist_ok=True)
    require_removable(final)
    recover(final)
    incoming = _scrap(final)
    try:
        _move(draft, incoming)
        flush(incoming)
        if final.is_dir():
            final.rename(_aside(final))
        incoming.rename(final)
    except OSError:
        recover(final)
        raise
    _flush_folder(final.parent)
    _discard(final)


def require_removable(final: Path) -> None:
    """Check that this user may remove a folder and all that is in it, before anything is put in its place.

    Raises
    ------
    InputError
        The folder, or a folder within it, is not this user's to change.
    OSError
        Its disk is mounted read-only.
    """
    final = final.resolve()
    for folder in (final, *(path for path in final.rglob("*") if path.is_dir() and not path.is_symlink())):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            if os.statvfs(folder).f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))
            status = folder.stat()
            raise InputError(
                "an earlier result cannot be replaced: it belongs to another user, or is closed", where=folder,
                expected=f"a folder that user {os.geteuid()}, who runs this, may change",
                found=f"it belongs to user {status.st_uid}, mode {status.st_mode & 0o7777:o}",
                fix=f"`sudo chown -R $(id -u) {final} && chmod -R u+rwX {final}`, or run this as its owner",
            )  # fmt: skip


def replace_file(draft: Path, final: Path) -> None:
    """Rename a finished file to `final`, in the same folder: the earlier one or the new one is there, whole."""
    flush(draft)
    draft.replace(final)
    _flush_folder(final.parent)


def flush(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk.

    Raises
    ------
    OSError
        The disk is full or fails; some file systems report it only now.
    """
    if path.is_symlink():
        return
    if not path.is_dir():
        _sync(path, os.O_RDONLY)
        return
    for entry in path.iterdir():
        flush(entry)
    _flush_folder(path)


def flush_written(folder: Path, since_s: float) -> None:
    """Wait until what was written below a folder since a time is on the disk: what libraries write waits for nothing.

    Parameters
    ----------
    since_s
        As `time.time` gives it.
    """
    for name, _, names in os.walk(folder):
        for path in (Path(name), *(Path(name, file) for file in names)):
            with contextlib.suppress(FileNotFoundError, PermissionError):  # of another program, or user
                status = path.lstat()
                if status.st_ctime < since_s - CLOCK_STEP_S:
                    continue
                if stat.S_ISREG(status.st_mode):
                    flush(path)
                elif stat.S_ISDIR(status.st_mode):
                    _flush_folder(path)


def _flush_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, as far as its file system knows such a wait."""
    try:
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise


def _sync(path: Path, flags: int) -> None:
    number = os.open(path, flags)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def recover(final: Path) -> None:
    """Finish what a killed `put_in_place` left: the earlier version comes back where no newer one is in place."""
    final = final.resolve()
    aside, scrap = _aside(final), _scrap(final)
    if aside.exists() and not final.exists():
        aside.rename(final)
        _flush_folder(final.parent)
    _discard(final)
    _remove(scrap)


def _discard(final: Path) -> None:
    """Remove the earlier version: under the name that never counts, as a removal can be cut short too."""
    aside, scrap = _aside(final), _scrap(final)
    if aside.exists():
        _remove(scrap)
        aside.rename(scrap)
        _remove(scrap)


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)
        _remove(source)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        try:
            shutil.rmtree(path)
        except OSError as error:  # it names a file within its folder
            raise OSError(error.errno, error.strerror, str(path)) from error
    elif path.exists() or path.is_symlink():
        path.unlink()


def _aside(final: Path) -> Path:
    return final.with_name(f".{final.name}.old")


def _scrap(final: Path) -> Path:
    return final.with_name(f".{final.name}.tmp")
