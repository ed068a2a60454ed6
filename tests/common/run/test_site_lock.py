"""One command at a time changes a site."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import tiny
from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.site_lock import LOCK, site_lock

HOLD = """import time
from stages.common.run.site_lock import site_lock
with site_lock('retrain'):
    print('in', flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def in_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    monkeypatch.delenv(settings.SITE_HELD, raising=False)


@pytest.fixture
def holder(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    monkeypatch.setenv("PYTHONPATH", str(tiny.ROOT))
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_who_holds_the_site_is_named_when_the_wait_is_over(
    holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.SITE_WAIT, "0")
    with pytest.raises(InputError, match="another command") as error, site_lock("repro"):
        pass
    assert error.value.found.startswith(f"retrain, process {holder.pid}, since ")


def test_the_next_command_waits_and_a_killed_one_frees_the_site(
    holder: subprocess.Popen[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (holder.kill(), holder.wait(), sleep(0)))
    with site_lock("repro"):
        assert LOCK.read_text().startswith("repro, process ")
    assert "repro: waiting for another command on this site: retrain, process" in capsys.readouterr().err
    assert not LOCK.exists()


def test_a_command_that_the_holder_starts_goes_on() -> None:
    with site_lock("retrain"):
        with site_lock("repro"):
            assert LOCK.read_text().startswith("retrain")
        assert LOCK.exists()
    assert not LOCK.exists()


def test_nothing_is_written_where_there_is_no_site(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").unlink()
    with site_lock("promote"):
        assert not list(tmp_path.iterdir())


def test_a_lock_whose_file_is_removed_meanwhile_is_taken_anew() -> None:
    with site_lock("retrain"):
        LOCK.unlink()  # `make clean`
    with site_lock("repro"):
        assert LOCK.exists()
