"""Commands side by side: known programs whose files tell what ran beside what, and what is left after an error."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.common import machine, settings
from stages.common.errors import InputError, SettingError
from versions.tools import side_by_side
from versions.tools.side_by_side import SideBySide, jobs


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


MEET = "touch {mine}; while [ ! -e {other} ]; do sleep 0.02; done"
"""Ends only where both commands run at once."""


def test_commands_run_at_once_and_keep_what_they_are_given(folder: Path) -> None:
    with SideBySide(2) as crew:
        crew.add("a", shell(MEET.format(mine="a", other="b") + '; printf "$YEAR" > year'), YEAR="2020")
        crew.add("b", shell(MEET.format(mine="b", other="a")))
        crew.wait()
        assert crew.done == {"a", "b"}
    assert (folder / "year").read_text() == "2020"


def test_no_more_than_the_number_run_at_once_and_the_urgent_ones_come_first(folder: Path) -> None:
    alone = "mkdir alone && echo {name} >> order && rmdir alone"
    with SideBySide(1) as crew:
        crew.add("first", shell(alone.format(name="first") + "; while [ ! -e go ]; do sleep 0.02; done"))
        for name, urgency in (("late", 0), ("urgent", 1), ("later", 0), ("also urgent", 1)):
            crew.add(name, shell(alone.format(name=name)), urgency=urgency)
        (folder / "go").touch()
        crew.wait(["urgent"])
        assert "urgent" in crew.done
        crew.wait()
    assert (folder / "order").read_text().splitlines() == ["first", "urgent", "also urgent", "late", "later"]


def test_an_error_ends_what_runs_and_what_waits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with SideBySide(2) as crew:
        crew.add("long", shell("echo $$ > long.pid; exec sleep 600"))
        crew.add("wrong", shell("while [ ! -s long.pid ]; do sleep 0.02; done; echo why >&2; exit 2"))
        crew.add("never", shell("touch never"))
        with pytest.raises(InputError, match="a stage failed") as caught:
            crew.wait(["never"])
    assert (caught.value.where, caught.value.found) == ("wrong", "exit code 2; its message is above")
    assert "wrong: why\n" in capsys.readouterr().err
    assert not (folder / "never").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "long.pid").read_text()), 0)


def test_a_program_that_is_not_there_is_an_error_and_no_deadlock() -> None:
    with SideBySide(2) as crew:
        crew.add("absent", ["./absent"])
        with pytest.raises(InputError, match="a stage failed") as caught:
            crew.wait()
    assert caught.value.where == "absent"


def test_an_interruption_ends_what_runs_even_where_it_pays_no_heed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "GRACE_S", 1.0)
    with contextlib.suppress(KeyboardInterrupt), SideBySide(1) as crew:
        crew.add("deaf", shell("trap '' TERM; echo $$ > deaf.pid; while true; do sleep 0.02; done"))
        while not (folder / "deaf.pid").exists() or not (folder / "deaf.pid").read_text().strip():
            pass
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "deaf.pid").read_text()), 0)


def test_lines_stay_whole_and_carry_the_name_of_their_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with SideBySide(4) as crew:
        for name in ("prepare@2020", "prepare@2021", "train", "labels"):
            crew.add(name, shell(f"for n in $(seq 40); do echo '{name}: step'; echo '  fix: none' >&2; done"))
        crew.wait()
    lines = [line for line in capsys.readouterr().err.splitlines() if " done)" not in line]
    assert len(lines) == 320
    assert all(re.fullmatch(r"[a-z]+(@\d{4})?: (step|  fix: none)", line) for line in lines)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream.fileno()


def test_the_lock_is_held_while_a_command_runs_whose_parent_is_gone(folder: Path) -> None:
    with SideBySide(1) as crew:
        with locked(folder / "lock") as lock:
            crew._lock = lock
            crew.add("a", shell("while [ ! -e go ]; do sleep 0.02; done"))
        with (folder / "lock").open() as other:
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (folder / "go").touch()
            crew.wait()
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(("cores", "gib", "expected"), [(2, 64, 2), (16, 32, 10), (8, 4, 1), (1, 64, 1), (4, 2, 1)])
def test_jobs_follow_cores_and_memory(cores: int, gib: float, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.JOBS, raising=False)
    monkeypatch.setattr(side_by_side, "usable_cores", lambda: cores)
    monkeypatch.setattr(side_by_side, "memory_bytes", lambda: gib * 2**30)
    assert jobs() == expected
    monkeypatch.setenv(settings.JOBS, "3")
    assert jobs() == 3
    monkeypatch.setenv(settings.JOBS, "none")
    with pytest.raises(SettingError):
        jobs()


def test_memory_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "MEMORY_LIMIT", limit)
    whole = machine.memory_bytes()
    for text, expected in (("max\n", whole), ("1048576\n", 2**20)):
        limit.write_text(text)
        assert machine.memory_bytes() == expected
