"""One hostile or broken input, and the attempt to use it: exit code, message, and what became of the files around."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import resource
import shutil
import signal
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.common import settings
from tests.hostile import server
from tests.hostile.site import run

SECONDS_MAX, MEMORY_MB_MAX = 30, 800
"""Bounds of one attempt. What a stage itself needs for the made-up site is far below."""

EMPTY_FOLDERS = ("site/mlruns", "site/mlruns/artifacts")
"""Folders that `track` makes before it asks its store anything."""

SECRET = "geheim-7f3a"
"""Stands in files and addresses that must not come to light."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An input, who reads it, and what must come of it."""

    door: str
    name: str
    change: Callable[[Path], None]
    """Spoils the site, whose folder it is given and which is the working directory."""
    run: str = "ingest"
    """``ingest``, a stage as ``predict@2020``, or what `action` does."""
    code: int = 2
    piece: str = ""
    """Part of the message."""
    base: str = "tiny"
    """Kind of site: ``tiny`` or ``safe``."""
    environment: dict[str, str] = field(default_factory=dict)
    action: Callable[[], int] | None = None
    never_asked: str = "/secret"
    """Beginning of paths that the local server must not be asked for."""
    slow: bool = False
    """Whether it takes seconds by its nature; then it is part of the benchmark alone."""

    @property
    def label(self) -> str:
        """Name in tables."""
        return f"{self.door}: {self.name}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a case."""

    code: int
    message: str
    problems: list[str]
    seconds: float
    memory_mb: float
    """Growth of the process's largest memory."""


class OutOfTimeError(BaseException):
    """Not an `Exception`, so that nothing on the way takes it for an error of the input."""


def attempt(case: Case, base: Path, home: Path) -> Outcome:
    """Copy the base into `home`, spoil it, run, and compare all files of `home` before and after."""
    site = home / "site"
    shutil.copytree(base, site, symlinks=True)
    (home / "outside").mkdir()
    (home / "outside/keep.txt").write_text(SECRET)
    server.forget()
    with contextlib.chdir(site), _environment(case.environment), _impatient():
        case.change(site)
        before, began = tree(home), time.monotonic()
        memory = _peak_mb()
        code, words = _guarded(case.action or (lambda: run(case.run)))
        seconds, growth = time.monotonic() - began, _peak_mb() - memory
    problems = list(_problems(case, code, words, _changed(before, tree(home), whole=code != 0)))
    if seconds > SECONDS_MAX or growth > MEMORY_MB_MAX:
        problems.append(f"took {seconds:.0f} s and {growth:.0f} MB")
    return Outcome(code=code, message=words, problems=problems, seconds=seconds, memory_mb=growth)


def _problems(case: Case, code: int, words: str, changed: list[str]) -> Iterator[str]:
    if code != case.code:
        yield f"exit code {code}, not {case.code}: {words[-600:]}"
    if case.piece not in words:
        yield f"the message lacks {case.piece!r}: {words[-600:]}"
    if "Traceback" in words or SECRET in words:
        yield f"a traceback or a secret in the message: {words[-600:]}"
    if (
        case.code == 2
        and code == 2
        and not any(mark in words.lower() for mark in ("fix:", "usage:", "expected:", "found:"))
    ):
        yield f"the message says no fix: {words[-600:]}"
    if changed:
        yield f"files have changed: {changed[:5]}"
    if asked := [path for path in server.asked() if path.startswith(case.never_asked)]:
        yield f"the local server was asked for {asked[:3]}"


def _guarded(work: Callable[[], int]) -> tuple[int, str]:
    """Return the exit code and all that was printed; -1 where it did not end in time."""
    words = io.StringIO()

    def out_of_time(*_: object) -> None:
        raise OutOfTimeError

    earlier = signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_MAX)
    try:
        with contextlib.redirect_stderr(words), contextlib.redirect_stdout(words):
            code = work()
    except SystemExit as end:
        code = int(end.code or 0)
    except OutOfTimeError:
        code = -1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
    return code, words.getvalue()


def tree(home: Path) -> dict[str, str]:
    """Return kind, mode and content of everything below a folder but for scratch, by path."""
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(home):
        if folder.endswith(("artifacts/.tmp", "artifacts/ingest")):
            folders.clear()
            continue
        for name in (*folders, *names):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            found[str(path.relative_to(home))] = f"{mode:o} {_content(path, mode)}"
    return {name: text for name, text in found.items() if not name.endswith(("artifacts/.tmp", "artifacts/ingest"))}


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return str(path.readlink())
    if not stat.S_ISREG(mode):
        return ""
    if path.stat().st_size > 2**26:  # sparse giants
        return str(path.stat().st_size)
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _changed(before: dict[str, str], after: dict[str, str], *, whole: bool) -> list[str]:
    """Return the paths that differ; where a run succeeded its site may change, and nothing else."""
    differing = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    differing = [name for name in differing if name not in EMPTY_FOLDERS]
    return [name for name in differing if whole or not name.startswith("site/")]


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({settings.HTTP_RETRIES: "0", settings.DVC_ROOT: str(Path.cwd()), "DVC_NO_ANALYTICS": "1"})
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """Wait for servers for a second, where the settings say minutes."""
    from stages.track import store

    changes: list[tuple[Any, str, float]] = [
        (settings, "HTTP_TIMEOUT_S", 1.0), (settings, "HTTP_ANSWER_MAX_S", 1.0), (store, "FIRST_CONTACT_S", 1),
        (store, "FIRST_CONTACT_RETRIES", 0), (store, "FIRST_CONTACT_MAX_S", 2.0),
    ]  # fmt: skip
    before = [(place, name, getattr(place, name)) for place, name, _ in changes]
    for place, name, value in changes:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)
