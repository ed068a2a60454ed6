"""Two real commands on one site at once: the second one is told who works on it, or waits; never a mix."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from sandbox import tiny
from stages.common import settings
from tests.repository import init
from tests.versions.tools.test_waiting import lock_held

COMMANDS = {
    "ingest": [str(tiny.ROOT / "bin/ingest"), "."],
    "repro": [str(tiny.ROOT / "bin/repro"), "."],
    "retrain": [sys.executable, "-m", "versions.retrain"],
    "promote": [sys.executable, "-m", "versions.promote"],
}
PROMOTE_FOR_LONG = """import time
from versions.promote import promote as command
command.promote = lambda *_: print('waiting', flush=True) or time.sleep(600)
command.main([])
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    init(tmp_path)
    (tmp_path / ".dvc/tmp").mkdir(exist_ok=True)
    return tiny.make_site(tmp_path, years=(2020,))


def start(site: Path, command: Sequence[str], **more: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name != settings.SITE_HELD}
    environment: Mapping[str, str] = inherited | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(tiny.ROOT), **more
    }  # fmt: skip
    return subprocess.Popen(
        command, cwd=site, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@contextlib.contextmanager
def waiting(site: Path, command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that gets no further, as it waits for what this test or another command holds; and what it says."""
    with start(site, command) as process:
        assert process.stdout is not None
        try:
            words = ""
            while "waiting" not in words:
                words = process.stdout.readline()
                assert words, f"it has ended with {process.wait()}"
            yield process, words
        finally:
            process.kill()


def files(site: Path) -> dict[str, bytes]:
    """All files of the site but for what git and DVC note, and scratch."""
    parts = {".git", ".dvc", ".tmp", "stages", "docker"}
    paths = (path for path in sorted(site.rglob("*")) if not parts & set(path.relative_to(site).parts))
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


@pytest.mark.parametrize(
    ("first", "seconds"),
    [("ingest", ["repro", "promote"]), ("repro", ["repro", "ingest"]), ("retrain", ["repro", "retrain"]),
     ("promote", ["promote"])],
)  # fmt: skip
def test_the_second_command_is_told_who_works_on_the_site(site: Path, first: str, seconds: list[str]) -> None:
    command = [sys.executable, "-c", PROMOTE_FOR_LONG] if first == "promote" else COMMANDS[first]
    with lock_held(site), waiting(site, command) as (holder, _):
        before = files(site)
        later = [start(site, COMMANDS[name], **{settings.SITE_WAIT: "0"}) for name in seconds]
        for name, process in zip(seconds, later, strict=True):
            words, _ = process.communicate()
            assert process.returncode == 2, words
            assert f"{name}: another command works on this site" in words
            assert f"{first}, process {holder.pid}, since" in words
            assert "Traceback" not in words
        assert files(site) == before


def test_the_second_command_waits_and_both_end_well(site: Path) -> None:
    ingest = COMMANDS["ingest"]
    with contextlib.ExitStack() as lock:
        lock.enter_context(lock_held(site))
        with waiting(site, ingest) as (first, _), waiting(site, ingest) as (second, words):
            assert f"waiting for another command on this site: ingest, process {first.pid}" in words
            lock.close()
            for process in (first, second):
                rest, _ = process.communicate()
                assert process.returncode == 0, rest
    assert "md5:" in (site / "data.dvc").read_text()
