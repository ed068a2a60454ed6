"""A loss of power: what was written and not waited for is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SAFE = (".git", "tmp")
"""Folders of programs that see to themselves, or keep nothing that counts."""


class PowerLostError(BaseException):
    """Stands for the end of the process: no handler of the code may run after it."""


class Disk:
    """Remembers which files below a folder were waited for; what stands there at the beginning was."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.waits = 0
        """Calls of `os.fsync` so far."""
        self._synced = {path.stat().st_ino: _state(path.stat()) for path in self._files()}
        self._last_wait: int | None = None
        sync = os.fsync

        def watched(number: int) -> None:
            if self.waits == self._last_wait:
                for name in ("rename", "replace", "unlink", "rmdir", "mkdir", "fsync"):  # nothing comes after it
                    monkeypatch.setattr(os, name, _lost)
                raise PowerLostError
            self.waits += 1
            status = os.fstat(number)
            self._synced[status.st_ino] = _state(status)
            sync(number)

        monkeypatch.setattr(os, "fsync", watched)

    def fail_after(self, waits: int) -> None:
        """Let the power fail at the wait after so many of them."""
        self._last_wait = waits

    def lose_power(self) -> list[str]:
        """Empty each file that was written after it was last waited for: its name may be there, its content not."""
        lost = [path for path in self._files() if self._synced.get(path.stat().st_ino) != _state(path.stat())]
        for path in lost:
            path.chmod(0o644)
            path.write_bytes(b"")
        return sorted(str(path.relative_to(self.folder)) for path in lost)

    def _files(self) -> list[Path]:
        """Databases wait by themselves."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return [path for path in paths if path.suffix != ".db" and not {*SAFE} & {*path.relative_to(self.folder).parts}]


def _lost(*_: object, **__: object) -> None:
    raise PowerLostError


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
