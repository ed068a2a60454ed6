"""``bin/ingest`` beside another command that uses DVC."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import IO

import pytest

from sandbox import tiny
from stages.common import settings
from stages.common.run.exit_code import exit_code_of
from tests import forked
from tests.repository import init
from versions.tools import commands

loader = SourceFileLoader("bin_ingest", str(tiny.ROOT / "bin/ingest"))
bin_ingest = module_from_spec(spec_from_loader("bin_ingest", loader))
loader.exec_module(bin_ingest)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    init(tmp_path)
    tiny.make_site(tmp_path, years=(2020,))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "subprocess", forked)
    monkeypatch.delenv(settings.SITE_HELD, raising=False)
    return tmp_path


@pytest.fixture
def lock(site: Path) -> Iterator[IO[str]]:
    """DVC's lock in the way that DVC holds it, by this process."""
    path = site / ".dvc/tmp/lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(f" {os.getpid()}\n")
        stream.flush()
        yield stream


def test_who_holds_dvc_is_named_before_anything_is_fetched(
    site: Path, lock: IO[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.DVC_WAIT, "0")
    assert exit_code_of("ingest", bin_ingest.ingest) == 2
    words = capsys.readouterr().err
    assert "another command uses DVC in this repository" in words
    assert f"found:    process {os.getpid()} (" in words
    assert not (site / "data").exists()
    assert not (site / "data.dvc").exists()


def test_it_goes_on_when_the_other_command_has_ended(
    site: Path, lock: IO[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sleep = time.sleep

    def end_the_other(_: float) -> None:
        fcntl.flock(lock, fcntl.LOCK_UN)
        sleep(0)

    monkeypatch.setattr(time, "sleep", end_the_other)
    assert exit_code_of("ingest", bin_ingest.ingest) == 0
    assert f"waiting for another command that uses DVC: process {os.getpid()} (" in capsys.readouterr().err
    assert "md5:" in (site / "data.dvc").read_text()
