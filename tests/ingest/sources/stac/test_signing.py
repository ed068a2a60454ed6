"""Tokens that sign addresses."""

from __future__ import annotations

import urllib.error
from collections.abc import Callable
from http.client import IncompleteRead

import pytest

from stages.common.errors import InputError
from stages.ingest.sources.stac.signing import request_token
from tests.ingest.sources.stac.token_server import TOKEN_URL, http_error, serve_tokens, token


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(lambda: http_error(429), id="too many requests"),
        pytest.param(lambda: http_error(503), id="busy"),
        pytest.param(lambda: TimeoutError("timed out"), id="timeout"),
        pytest.param(lambda: urllib.error.URLError(TimeoutError("timed out")), id="no connection in time"),
        pytest.param(lambda: ConnectionResetError("reset"), id="connection reset"),
        pytest.param(lambda: IncompleteRead(b"{"), id="answer breaks off"),
    ],
)
def test_what_may_pass_is_tried_again(
    failure: Callable[[], Exception], sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = serve_tokens(monkeypatch, failure(), failure(), token("sig=a"))
    assert request_token(TOKEN_URL) == "sig=a"
    assert len(requests) == 3
    assert sleeps == [1, 2]


def test_a_server_that_stays_busy_is_an_error(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    serve_tokens(monkeypatch, *(http_error(503) for _ in range(3)))
    with pytest.raises(InputError, match="gives no token") as caught:
        request_token(TOKEN_URL)
    assert "attempts: 3" in str(caught.value)
    assert sleeps == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: http_error(404), id="no such address"),
        pytest.param(lambda: http_error(403), id="refused"),
        pytest.param(lambda: "<html>", id="not JSON"),
        pytest.param(lambda: "{}", id="no token in it"),
        pytest.param(lambda: "[]", id="a list"),
    ],
)
def test_what_does_not_pass_is_an_error_at_once(
    answer: Callable[[], Exception | str], sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = serve_tokens(monkeypatch, answer())
    with pytest.raises(InputError, match="gives no token"):
        request_token(TOKEN_URL)
    assert len(requests) == 1
    assert sleeps == []
