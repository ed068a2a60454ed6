"""Another command that uses DVC: it is named and waited for, and never taken for missing or changed data."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stages.common import settings
from stages.common.errors import InputError
from tests.repository import done
from versions.tools.commands import run_dvc
from versions.tools.waiting import holders, wait_for_dvc


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    done(folder, "git", "init", "--quiet")
    done(folder, "dvc", "init", "--quiet")
    (folder / ".dvc/tmp").mkdir(exist_ok=True)
    (folder / "sites/small").mkdir(parents=True)
    return folder


@contextmanager
def lock_held(folder: Path) -> Iterator[None]:
    """DVC's own way: a lock on the file, and the process in it."""
    with (folder / ".dvc/tmp/lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f" {os.getpid()}\n")
        lock.flush()
        yield


def test_who_holds_the_lock_is_named_and_the_fix_keeps_the_data(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.DVC_WAIT, "0")
    with lock_held(repository), pytest.raises(InputError, match="another command uses DVC") as caught:
        run_dvc(repository / "sites/small", "status", "--json")
    assert re.search(rf"process {os.getpid()} \(.*python", caught.value.found)
    assert f"process {os.getpid()} (" in capsys.readouterr().err
    assert "--force" not in caught.value.fix
    assert caught.value.where == str(repository / ".dvc/tmp/lock")


def test_a_lock_that_is_given_back_is_waited_for(repository: Path) -> None:
    lock = lock_held(repository)
    lock.__enter__()
    threading.Timer(0.2, lock.__exit__, [None, None, None]).start()
    assert run_dvc(repository, "root").returncode == 0


def test_a_lock_left_by_a_killed_command_holds_nobody_up(repository: Path) -> None:
    (repository / ".dvc/tmp/lock").write_text(" 4194304\n")
    assert list(holders(repository, "repro")) == []
    assert list(holders(repository.parent, "repro")) == [], "no repository"


@pytest.fixture
def other() -> Iterator[int]:
    """The process of another command."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def note(folder: Path, path: Path, pid: int) -> None:
    reader = {"pid": pid, "cmd": "dvc repro"}
    (folder / ".dvc/tmp/rwlock").write_text(json.dumps({"write": {}, "read": {str(path): [reader]}}))


def test_a_stage_in_progress_holds_up_its_own_site_alone(repository: Path, other: int) -> None:
    site = repository / "sites/small"
    note(repository, site / "data/scenes/2020", other)
    (named,) = holders(site, "commit")
    assert named.startswith(f"process {other} (") and "input()" in named
    assert list(holders(site, "status")) == [], "looking is always possible"
    assert list(holders(repository, "commit")) == [], "the root is another site"
    note(repository, repository / "data/aoi.gpkg", other)
    assert (len(list(holders(repository, "repro"))), list(holders(site, "repro"))) == (1, [])
    note(repository, repository / "data/aoi.gpkg", os.getpid())
    assert list(holders(repository, "repro")) == []


def test_the_patience_is_a_setting(repository: Path, other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    note(repository, repository / "data/aoi.gpkg", other)
    monkeypatch.setenv(settings.DVC_WAIT, "0.1")
    with pytest.raises(InputError, match="another command uses DVC") as caught:
        wait_for_dvc(repository, "repro", since=time.monotonic())
    assert "within 0.1 s" in caught.value.expected
    (repository / ".dvc/tmp/rwlock").unlink()
    wait_for_dvc(repository, "repro", since=time.monotonic())
