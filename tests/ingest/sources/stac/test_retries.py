"""How often a request is repeated, and how long that may take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common import settings
from stages.common.errors import InputError, SettingError
from stages.ingest.sources.stac import retries
from stages.ingest.sources.stac.retries import TransientError, configured_waits, retry_waits, with_retries


def failure(reason: str, attempts: int) -> InputError:
    return InputError(f"{reason}, {attempts} attempts")


class Server:
    """Fails as often as it is told."""

    def __init__(self, failures: int) -> None:
        self.failures, self.requests = failures, 0

    def __call__(self) -> str:
        self.requests += 1
        if self.requests <= self.failures:
            raise TransientError("busy")
        return "answer"


def test_waits_double_and_there_is_none_after_the_last_attempt(
    sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.HTTP_RETRIES, "3")
    server = Server(failures=99)
    with pytest.raises(InputError, match="busy, 4 attempts"):
        with_retries(server, failure)
    assert server.requests == 4
    assert sleeps == [1, 2, 4]


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_the_first_answer_counts(failures: int, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.HTTP_RETRIES, "3")
    assert with_retries(Server(failures), failure) == "answer"
    assert len(sleeps) == failures


def test_without_repetitions_there_is_one_attempt(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.HTTP_RETRIES, "0")
    with pytest.raises(InputError, match="1 attempts"):
        with_retries(Server(failures=1), failure)
    assert sleeps == []


def test_another_error_is_not_repeated(sleeps: list[float]) -> None:
    def broken() -> str:
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        with_retries(broken, failure)
    assert sleeps == []


@given(st.integers(0, 100), st.floats(0, 1e9))
def test_all_waits_together_are_bounded(count: int, first_s: float) -> None:
    waits = list(retry_waits(count, first_s))
    assert len(waits) <= count
    assert sum(waits) <= retries.TOTAL_WAIT_MAX_S
    assert all(wait <= retries.WAIT_MAX_S for wait in waits)
    assert waits == sorted(waits)


def test_the_default_is_a_minute() -> None:
    assert configured_waits() == [1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize("name", [settings.HTTP_RETRIES, settings.HTTP_RETRY_WAIT])
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "often"])
def test_a_variable_that_is_not_valid_is_an_error_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        configured_waits()
    assert name in str(caught.value)


def test_repetitions_without_waiting_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.HTTP_RETRIES, "1000000000")
    monkeypatch.setenv(settings.HTTP_RETRY_WAIT, "0")
    assert len(configured_waits()) == retries.RETRIES_MAX
