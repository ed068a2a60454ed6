"""Environment variables: what is not a number, or out of range, is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stages.common import settings
from stages.common.errors import ParamsError, SettingError

NUMBERS: dict[str, Callable[[], float | None]] = {
    settings.INFERENCE_THREADS: settings.inference_threads,
    settings.HTTP_RETRIES: settings.http_retries,
    settings.HTTP_RETRY_WAIT: settings.http_retry_wait_s,
    settings.CPUS: settings.cpus,
}


@pytest.mark.parametrize("text", ["two", "-1", "nan", "inf", "1,5", "0x10", "1 2"])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_not_a_number_in_range_is_refused(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingError) as caught:
        NUMBERS[name]()
    assert caught.value.exit_code == 2
    assert (caught.value.where, caught.value.found) == (f"environment: {name}", text)
    assert f"unset {name}" in caught.value.fix


@pytest.mark.parametrize("name", [settings.INFERENCE_THREADS, settings.HTTP_RETRIES])
def test_a_fraction_is_refused_where_a_count_is_asked_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1.5")
    with pytest.raises(SettingError, match=name):
        NUMBERS[name]()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (settings.INFERENCE_THREADS, "3", 3),
        (settings.HTTP_RETRIES, "0", 0),
        (settings.HTTP_RETRY_WAIT, "0.25", 0.25),
        (settings.CPUS, "1.5", 1.5),
    ],
)
def test_a_number_is_taken(name: str, text: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    assert NUMBERS[name]() == value


def test_more_threads_than_any_machine_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.INFERENCE_THREADS, "1e9")
    with pytest.raises(SettingError, match=settings.INFERENCE_THREADS) as caught:
        settings.inference_threads()
    assert caught.value.expected == "a whole number, 1 to 1024"


@pytest.mark.parametrize("name", NUMBERS)
def test_an_empty_variable_is_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    default = NUMBERS[name]()
    monkeypatch.setenv(name, "")
    assert NUMBERS[name]() == default


@pytest.mark.parametrize(
    ("size", "valid"), [("8g", True), ("500m", True), ("1.5G", True), ("8 g", False), ("g", False)]
)
def test_memory_is_a_size(size: str, valid: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.MEMORY, size)
    if valid:
        assert settings.memory() == size
        return
    with pytest.raises(SettingError, match=settings.MEMORY):
        settings.memory()


@pytest.mark.parametrize("text", ["$SCENES/a.tif", "${SCENES}/a.tif"])
def test_both_ways_to_name_a_variable_in_a_path(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENES", "/somewhere")
    assert settings.expand(text, where="ingest") == "/somewhere/a.tif"
    assert settings.variables_in(text) == ["SCENES"]
    monkeypatch.delenv("SCENES")
    with pytest.raises(ParamsError, match="the environment variable SCENES is not set"):
        settings.expand(text, where="ingest")
