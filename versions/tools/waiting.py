"""Wait while another command works on the same DVC repository, and say which it is."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from stages.common import settings
from stages.common.errors import InputError
from stages.common.revision import run_program

POLL_S = 0.5
"""Seconds between two looks at the lock."""

CHANGING = frozenset({"repro", "commit", "checkout", "pull", "add"})
"""Commands of DVC that change a site's files, and so wait until no stage of the site runs."""


def wait_for_dvc(site: Path, command: str, *, since: float) -> None:
    """Wait until no other command holds what a `command` of DVC needs; name the holder on stderr.

    Parameters
    ----------
    since
        Start of the wait, as `time.monotonic` gives it.

    Raises
    ------
    InputError
        It is held longer than ``GLACIER_DVC_WAIT_S``.
    """
    waited_for = None
    while holder := next(holders(site, command), None):
        if holder != waited_for:
            print(f"waiting for another command that uses DVC: {holder}", file=sys.stderr, flush=True)
        waited_for = holder
        if time.monotonic() - since > (patience_s := settings.number(settings.DVC_WAIT, 600, least=0)):
            raise InputError(
                "another command uses DVC in this repository", where=dvc_folder(site) / "tmp/lock",
                expected=f"that it ends within {patience_s:g} s", found=holder,
                fix=f"wait until it has ended, then run this again; {settings.DVC_WAIT} changes how long to wait",
            )  # fmt: skip
        time.sleep(POLL_S)


def holders(site: Path, command: str) -> Iterator[str]:
    """Yield the commands that hold DVC's lock, or that run a stage of the site where `command` changes its files."""
    folder = dvc_folder(site) / "tmp"
    with contextlib.suppress(OSError), (folder / "lock").open(encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield process(int(pid) if (pid := lock.read().strip()).isdigit() else 0)
    if command in CHANGING:
        yield from (process(pid) for pid in stages_in_progress(folder / "rwlock", site.resolve()) if alive(pid))


def stages_in_progress(rwlock: Path, site: Path) -> list[int]:
    """Return the processes that DVC has noted as reading or writing files of the site."""
    try:
        noted = json.loads(rwlock.read_bytes())
    except (OSError, ValueError):
        return []
    entries = [*noted.get("write", {}).items()]
    entries += [(path, entry) for path, readers in noted.get("read", {}).items() for entry in readers]
    nested = site / "sites"
    return sorted(
        {
            entry["pid"]
            for path, entry in entries
            if Path(path).is_relative_to(site) and nested not in Path(path).parents
        }
    )


def alive(pid: int) -> bool:
    """Whether a process of another command is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def process(pid: int) -> str:
    """Return a process with its command line, as ``process 4711 (python -m dvc repro)``."""
    line = run_program(["ps", "-o", "args=", "-p", str(pid)]).stdout.strip() if pid else ""
    return f"process {pid or 'unknown'}{f' ({settings.without_secrets(line)[:200]})' if line else ''}"


def dvc_folder(site: Path) -> Path:
    """Return the folder ``.dvc`` of the repository that a site stands in."""
    start = site.resolve()
    return next((folder / ".dvc" for folder in (start, *start.parents) if (folder / ".dvc").is_dir()), start / ".dvc")
