"""What a loss of power leaves in DVC's own folder: files that have their name and not their content.

DVC does not wait for the disk, and believes in each object that its cache has: a later checkout would bring an empty
file. It also refuses every command while its note of who works is not JSON.
"""

from __future__ import annotations

import configparser
import contextlib
import fcntl
import json
import os
import re
import sys
from pathlib import Path

from stages.common.run.records import file_md5
from stages.common.run.replace import CLOCK_STEP_S
from versions.tools.waiting import dvc_folder

OBJECT = re.compile(r"[0-9a-f]{30}(\.dir)?")
"""Name of an object; its folder has the first two digits of its MD5."""


def cache_folder(site: Path) -> Path:
    """Return the folder of the objects in the cache of a site's repository, where DVC's settings may have put it."""
    folder = dvc_folder(site)
    users = os.environ.get("DVC_GLOBAL_CONFIG_DIR") or f"{os.environ.get('XDG_CONFIG_HOME') or '~/.config'}/dvc"
    for path in (folder / "config.local", folder / "config", Path(users).expanduser() / "config"):
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        with contextlib.suppress(OSError, UnicodeDecodeError, configparser.Error):  # DVC itself says what is wrong
            settings.read(path, encoding="utf-8")
        if chosen := settings.get("cache", "dir", fallback="").strip("'\""):
            return path.parent / Path(chosen).expanduser() / "files"
    return folder / "cache/files"


def remove_spoilt_objects(site: Path, since_s: float) -> None:
    """Remove each object, written since a time, whose content is not what its name says: DVC then writes it again.

    Parameters
    ----------
    since_s
        As `time.time` gives it.
    """
    written = [
        path for path in cache_folder(site).glob("md5/??/*")
        if OBJECT.fullmatch(path.name) and path.is_file() and path.stat().st_ctime >= since_s - CLOCK_STEP_S
    ]  # fmt: skip
    spoilt = [path for path in written if file_md5(path) != path.parent.name + path.name.removesuffix(".dir")]
    for path in spoilt:
        path.unlink()
    if spoilt:
        print(f"DVC's cache: {len(spoilt)} files cut short are removed, and written again", file=sys.stderr)


def remove_spoilt_note(site: Path) -> None:
    """Remove DVC's note of who works, where it was cut short and no command is writing it."""
    note = dvc_folder(site) / "tmp/rwlock"
    with contextlib.suppress(OSError), note.with_name("rwlock.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            json.loads(note.read_bytes())
        except ValueError:
            note.unlink()
