"""What a full disk, a read-only place or a file of another owner says to a user, whichever library met it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from stages.common.errors import StorageError

FREE = "free some disk space (`df -h`), and run it again: nothing was changed"
OWN = "give it to this user (`sudo chown -R $(id -u) <path>`), or run as its owner"
WRITABLE = "mount it for writing, or move the site to a place that can be written"

KINDS = {
    errno.ENOSPC: ("the disk is full", FREE),
    errno.EDQUOT: ("the disk quota is used up", FREE),
    errno.EFBIG: ("a file has grown larger than is allowed here", "raise the limit (`ulimit -f unlimited`)"),
    errno.EROFS: ("a place is read-only", WRITABLE),
    errno.EACCES: ("this user may not use a file or folder", OWN),
    errno.EPERM: ("this user may not change a file or folder", OWN),
    errno.EIO: ("the disk fails", "check it (`dmesg`), and run this again on another one"),
    errno.EBUSY: ("a disk is mounted in the place of a result", "mount it at `artifacts`, or at the site's folder"),
    errno.ENOTDIR: ("a file stands in the place of a folder", "move the file away"),
    errno.ELOOP: ("a link leads back to itself", "remove or correct the link"),
}
"""What is wrong, and what to do, by the number of the system's error."""

WORDS = {"database or disk is full": errno.ENOSPC, "disk I/O error": errno.EIO} | {
    os.strerror(number): number for number in KINDS
}
"""How libraries in C name these errors where they give no number."""

FULL = (errno.ENOSPC, errno.EDQUOT)


def storage_error(error: BaseException) -> StorageError | None:
    """Return the message for an error that the disk or its rights caused; None where neither did."""
    for cause in _causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        if number not in KINDS:
            number = next((number for words, number in WORDS.items() if words in str(cause)), None)
        if number is not None:
            return _message(number, cause)
    return None


def is_full(error: BaseException) -> bool:
    """Whether a full disk is what an error comes from, and its own message does not say so."""
    message = None if isinstance(error, StorageError) else storage_error(error)
    return message is not None and message.what in {KINDS[number][0] for number in FULL}


def _message(number: int, cause: BaseException) -> StorageError:
    what, fix = KINDS[number]
    name = getattr(cause, "filename", None) or getattr(cause, "filename2", None)
    where = Path(os.fsdecode(name)).absolute() if isinstance(name, str | bytes) else Path.cwd()
    return StorageError(
        what, where=where, found=_state(where, number, cause), fix=fix.replace("<path>", str(_nearest(where)))
    )


def _state(path: Path, number: int, cause: BaseException) -> str:
    """Return what is to be seen at a path: its free space, or its owner and rights."""
    folder = _nearest(path)
    if number in FULL:
        space = os.statvfs(folder)
        return f"{space.f_bavail * space.f_frsize // 1000} kB free for this user"
    if number in (errno.EACCES, errno.EPERM):
        status = folder.stat()
        rights = f"{folder} belongs to user {status.st_uid}, mode {status.st_mode & 0o7777:o}"
        return f"{rights}; this process runs as user {os.geteuid()}"
    return " ".join(str(cause).split())[:200]


def _nearest(path: Path) -> Path:
    """Return the path, or the first folder above it that exists."""
    return next((part for part in (path, *path.parents) if os.path.lexists(part)), Path("/"))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
