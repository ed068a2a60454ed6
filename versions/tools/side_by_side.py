"""Commands side by side, the most urgent first: their output as whole lines, and an error ends the others."""

from __future__ import annotations

import contextlib
import heapq
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType

from stages.common import settings
from stages.common.errors import InputError
from stages.common.machine import memory_bytes, usable_cores
from versions.tools.commands import environment

BYTES_PER_JOB = 3 * 2**30
"""Memory that a stage may take: `prepare` of a whole Sentinel-2 scene takes 1.3 GiB, `train` on patches of 256 px 2."""

NOT_STARTED = 127
"""Exit code of a shell for a command that it does not find."""

GRACE_S = 20
"""Seconds that a command may take to end when it is told to: a container has ten."""


def jobs() -> int:
    """Return the number of stages that may run at once: the cores, but no more than the memory has room for."""
    usable = min(usable_cores(), int(memory_bytes() // BYTES_PER_JOB))
    return int(settings.number(settings.JOBS, max(usable, 1), least=1, most=settings.THREADS_MAX, whole=True))


class SideBySide:
    """At most `at_once` commands at a time; who leaves the block ends those that still run.

    Parameters
    ----------
    at_once
        Number of commands at a time.
    lock
        Open file that the commands keep open, so that its lock outlives a parent that is killed.
    """

    def __init__(self, at_once: int, lock: int | None = None) -> None:
        self._at_once, self._lock = at_once, lock
        self._waiting: list[tuple[int, int, str, Sequence[str], Mapping[str, str]]] = []
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._added = 0
        self._done: set[str] = set()
        self._failure: tuple[str, int] | None = None
        self._change = threading.Condition()

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._change:
            self._end_all()
            if not self._change.wait_for(self._is_idle, GRACE_S):
                for process in self._running.values():
                    process.kill()
                self._change.wait_for(self._is_idle, GRACE_S)

    @property
    def done(self) -> set[str]:
        """Names of the commands that have ended well."""
        with self._change:
            return set(self._done)

    def add(self, name: str, command: Sequence[str], *, urgency: int = 0, **variables: str) -> None:
        """Start a command, or let it wait for its turn: lower urgencies wait for higher ones."""
        with self._change:
            self._added += 1
            heapq.heappush(self._waiting, (-urgency, self._added, name, command, variables))
            self._start_waiting()

    def wait(self, names: Collection[str] | None = None) -> None:
        """Wait until these commands have ended well, by default all.

        Raises
        ------
        InputError
            A command failed, be it one of these or not; the others were ended.
        """
        with self._change:
            while not self._failure and not (set(names) <= self._done if names is not None else self._is_idle()):
                self._change.wait()
            if not self._failure:
                return
            name, code = self._failure
        raise InputError(
            "a stage failed, and what ran beside it was ended",
            where=name,
            expected="exit code 0",
            found=f"exit code {code}; its message is above",
            fix="correct its cause, then run this again: what was done is kept",
        )

    def _is_idle(self) -> bool:
        return not self._running and not self._waiting

    def _start_waiting(self) -> None:
        while self._waiting and len(self._running) < self._at_once and not self._failure:
            _, _, name, command, variables = heapq.heappop(self._waiting)
            try:
                process = self._start(command, variables)
            except OSError as error:
                _say(f"{name}: it cannot be started: {error}")
                self._failure = name, NOT_STARTED
                self._end_all()
                return
            self._running[name] = process
            _say(f"Running stage '{name}' ({len(self._done)} of {self._added} done)")
            threading.Thread(target=self._follow, args=(name, process, time.monotonic()), daemon=True).start()

    def _start(self, command: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
        inherited = [] if self._lock is None else [self._lock]
        return subprocess.Popen(
            command, env={**environment(), **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", pass_fds=inherited,
        )  # fmt: skip

    def _follow(self, name: str, process: subprocess.Popen[str], since: float) -> None:
        with process:
            for line in process.stdout or ():
                _say(line.rstrip() if line.startswith(f"{name}: ") else f"{name}: {line.rstrip()}")
        code = process.returncode
        with self._change:
            del self._running[name]
            if code == 0:
                self._done.add(name)
                _say(f"{name}: done in {time.monotonic() - since:.0f} s ({len(self._done)} of {self._added} done)")
            elif not self._failure:
                self._failure = name, code
                self._end_all()
            self._start_waiting()
            self._change.notify_all()

    def _end_all(self) -> None:
        self._waiting.clear()
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()


def _say(line: str) -> None:
    """Print a line on stderr in one piece."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
