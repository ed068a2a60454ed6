"""What a process ends with: each kind of error has its exit code, and none leaves a traceback on the screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import tiny
from stages.common import settings
from stages.common.errors import ContractError, GateError, InputError, ParamsError
from stages.common.run.exit_code import exit_code_of, traceback_file


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateError("the numbers cannot be true"), 1),
        (ParamsError("a parameter is absent"), 2),
        (InputError("the file is not readable"), 2),
        (ContractError("the mask is not what it must be"), 2),
        (KeyError("rgi_id"), 3),
        (OSError(24, "Too many open files"), 3),
        (ZeroDivisionError("division by zero"), 3),
        (MemoryError(), 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of("area", raising(error)) == code
    message = capsys.readouterr().err
    assert message.startswith("area: ")
    assert "Traceback" not in message
    assert traceback_file("area").exists() == (code == 3)


@pytest.mark.parametrize(("result", "code", "printed"), [(None, 0, ""), (1, 1, ""), ("a text", 0, "a text\n")])
def test_without_an_error_the_work_says_how_it_ended(
    result: str | int | None, code: int, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of("area", lambda: result) == code
    assert capsys.readouterr().out == printed


def test_the_traceback_of_an_unexpected_error_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of("predict@2020", raising(KeyError("rgi_id")))
    message = capsys.readouterr().err
    assert "predict@2020: the run ended with an unexpected error" in message
    assert "where:    tests/common/run/test_exit_code.py:" in message
    assert "found:    KeyError: 'rgi_id'" in message
    assert "artifacts/.tmp/traceback-predict@2020.txt" in message
    text = Path("artifacts/.tmp/traceback-predict@2020.txt").read_text()
    assert text.startswith("Traceback (most recent call last)")
    assert "test_exit_code.py" in text


def test_no_secret_stands_in_a_message_or_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.S3_SECRET_KEY, "hush-hush")
    exit_code_of("ingest", raising(RuntimeError("hush-hush was refused by https://a.example/b?sig=hush-hush")))
    assert "hush" not in capsys.readouterr().err + traceback_file("ingest").read_text()


def test_where_nothing_can_be_written_the_traceback_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("artifacts").write_text("a file in the folder's place")
    assert exit_code_of("gate", raising(KeyError("x"))) == 3
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert "the traceback stands above" in message


def test_an_interruption_is_not_an_error_of_ours() -> None:
    with pytest.raises(KeyboardInterrupt):
        exit_code_of("area", lambda: (_ for _ in ()).throw(KeyboardInterrupt))


def test_a_wrong_level_of_the_log_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.LOG_LEVEL, "loud")
    assert exit_code_of("area", lambda: None) == 2
    assert "DEBUG, INFO, WARNING" in capsys.readouterr().err


PROGRAM = """from stages.common.run.exit_code import exit_code_of
raise SystemExit(exit_code_of("summary", lambda: "x" * 10**6))"""


@pytest.mark.parametrize(("place", "code", "words"), [("| head -c 1", 0, ""), ("> /dev/full", 3, "cannot be printed")])
def test_a_result_that_nobody_reads_or_that_has_no_room_is_no_failed_gate(place: str, code: int, words: str) -> None:
    """Before, a traceback and exit code 1."""
    line = f'"$0" -c "$1" {place}; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, PROGRAM], env={"PYTHONPATH": str(tiny.ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert words in done.stderr and "Traceback" not in done.stderr
    assert bool(done.stderr) == bool(words)
