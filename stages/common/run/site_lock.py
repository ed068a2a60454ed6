"""One command at a time changes a site: the next one waits, and says for whom.

The kernel holds the lock for a process and frees it however the process ends, so that no lock outlives a kill.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.replace import SCRATCH

LOCK = SCRATCH / "in-use"
"""Names the command that works on the site; relative to the site's folder."""

POLL_S = 0.2


@contextlib.contextmanager
def site_lock(command: str) -> Iterator[int | None]:
    """Keep other commands from changing the site in the working directory; wait for the one that does.

    A command that the holder has started goes on; a folder without params.yaml is no site, and is not written to.

    Yields
    ------
    int or None
        The file that is locked, if it is: programs that keep it open keep the lock when this process is killed.

    Raises
    ------
    InputError
        The other command took longer than `settings.SITE_WAIT`.
    """
    path = LOCK.absolute()
    if settings.lookup(settings.SITE_HELD) == str(path) or not Path("params.yaml").exists():
        yield None
        return
    with _wait_for(path, command) as stream:
        stream.truncate(0)
        stream.write(f"{command}, process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S %Z')}")
        stream.flush()
        before = settings.get(settings.SITE_HELD, "")
        os.environ.update({settings.SITE_HELD: str(path)})
        try:
            yield stream.fileno()
        finally:
            os.environ.update({settings.SITE_HELD: before})
            path.unlink(missing_ok=True)  # while it is locked: who waits for it sees that, and makes a new one


def _wait_for(path: Path, command: str) -> IO[str]:
    since, announced = time.monotonic(), False
    while (stream := _lock(path)) is None:
        holder, limit_s = _holder(path), settings.number(settings.SITE_WAIT, 86400, least=0)
        if time.monotonic() - since >= limit_s:
            raise InputError(
                "another command works on this site",
                where=path,
                expected=f"that it ends within {limit_s:g} s",
                found=holder,
                fix=f"run this again when it has ended, or wait for longer ({settings.SITE_WAIT})",
            )
        if not announced:
            print(f"{command}: waiting for another command on this site: {holder}", file=sys.stderr, flush=True)
            announced = True
        time.sleep(min(POLL_S, limit_s))
    return stream


def _lock(path: Path) -> IO[str] | None:
    """Return the locked file, open; None where another process has locked it, or has just removed it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists() and path.stat().st_ino == os.fstat(stream.fileno()).st_ino:
            return stream
    except BlockingIOError:
        pass
    except BaseException:
        stream.close()
        raise
    stream.close()
    return None


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") or "a command that has just begun"
    except OSError:
        return "a command that has just ended"
