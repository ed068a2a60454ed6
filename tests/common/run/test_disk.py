"""An error of the disk or its rights says which, where, and what to do, whichever library met it."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from stages.common.errors import InputError, StorageError
from stages.common.run.disk import is_full, storage_error
from stages.common.run.exit_code import exit_code_of


def caused(cause: BaseException, error: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "the disk is full"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "quota"),
        (OSError("Unable to create file (errno = 28, error message = 'No space left on device')"), "the disk is full"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (RuntimeError("_tiffWriteProc: No space left on device"), "the disk is full"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/data"), "read-only"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data"), "may not use"),
        (OSError(errno.EBUSY, os.strerror(errno.EBUSY), "data", None, ".data.old"), "mounted"),
        (NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), "artifacts/.tmp"), "in the place of a folder"),
        (OSError(errno.ELOOP, os.strerror(errno.ELOOP), "/data"), "link"),
        (caused(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), RuntimeError("cannot save")), "the disk is full"),
    ],
)
def test_each_error_of_the_disk_has_its_message(error: BaseException, what: str) -> None:
    message = storage_error(error)
    assert message is not None
    assert what in message.what
    assert message.where
    assert message.found
    assert message.fix


def test_other_errors_are_none_of_the_disk() -> None:
    assert storage_error(ValueError("7")) is None
    assert storage_error(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "a")) is None


def test_what_says_itself_that_the_disk_is_full_stays() -> None:
    assert not is_full(StorageError("a raster cannot be written"))
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert is_full(caused(full, InputError("the tracking store does not take the run")))


def test_a_place_of_another_owner_is_named(tmp_path: Path) -> None:
    message = storage_error(PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "data/x")))
    assert message is not None
    assert f"belongs to user {tmp_path.stat().st_uid}" in message.found
    assert f"chown -R $(id -u) {tmp_path}`" in message.fix


def test_a_run_on_a_full_disk_ends_with_a_message_and_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def work() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "model.onnx")

    assert exit_code_of("train", work) == 3
    assert "the disk is full" in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "no traceback is kept"
