"""Reading files from a server that fails, refuses or answers, without a server."""

from __future__ import annotations

import io
import json
import urllib.error
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.errors import RasterioIOError

from stages.common import settings
from stages.common.errors import InputError, ParamsError
from stages.common.scene.scene import Layer
from stages.ingest.sources.acquisition import GoneError
from stages.ingest.sources.stac import remote, retries
from stages.ingest.sources.stac.profiles import PROFILES
from stages.ingest.sources.stac.remote import RefusedError, RemoteFiles, request_token
from tests.ingest.candidates import GRID, region

URL, TOKEN_URL = "https://example.org/B02.tif", "https://example.org/token"
PIXELS = np.arange(GRID.width * GRID.height, dtype=np.uint16).reshape(GRID.shape)


@pytest.fixture
def sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are slept, without sleeping them; an empty working directory."""
    seconds: list[float] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retries.time, "sleep", seconds.append)
    monkeypatch.setenv(settings.HTTP_RETRIES, "2")
    return seconds


def serve(monkeypatch: pytest.MonkeyPatch, *answers: str | None) -> list[str]:
    """Answer requests for windows: None gives pixels, a text is GDAL's error. The last one is repeated."""
    requests: list[str] = []

    def read_layer(name: str, source: str, *_: Any, nodata: float | None, **__: Any) -> Layer:
        requests.append(source)
        if message := answers[min(len(requests), len(answers)) - 1]:
            raise RasterioIOError(message)
        return Layer(name=name, pixels=PIXELS, grid=GRID, nodata=nodata)

    monkeypatch.setattr(remote, "read_layer", read_layer)
    return requests


def serve_tokens(monkeypatch: pytest.MonkeyPatch, *answers: Exception | str) -> list[str]:
    """Answer requests for tokens. The last answer is repeated."""
    requests: list[str] = []

    def urlopen(url: str, **_: Any) -> io.BytesIO:
        requests.append(url)
        answer = answers[min(len(requests), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer.encode())

    monkeypatch.setattr(remote.urllib.request, "urlopen", urlopen)
    return requests


def http_error(status: int) -> urllib.error.HTTPError:
    return urllib.error.HTTPError(TOKEN_URL, status, "no", Message(), io.BytesIO())


def token(text: str) -> str:
    return json.dumps({"token": text})


def files(profile: str = "earth-search-c1") -> RemoteFiles:
    return RemoteFiles(profile=replace(PROFILES[profile], token_url=TOKEN_URL), region=region())


def read(profile: str = "earth-search-c1") -> Layer:
    return files(profile).layer("B02", URL, nodata=0)


class TestLayer:
    """Windows of files."""

    def test_a_server_that_fails_is_asked_again_and_not_waited_for_at_the_end(
        self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = serve(monkeypatch, "HTTP response code: 503")
        with pytest.raises(InputError, match="cannot be read from the server") as caught:
            read()
        assert len(requests) == 3
        assert sleeps == [1, 2]
        assert "at most 3 attempts" in str(caught.value)

    def test_the_pixels_arrive_after_a_failure_and_are_kept(
        self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = serve(monkeypatch, "timed out", None)
        for _ in range(2):
            assert (read().pixels == PIXELS).all()
        assert len(requests) == 2

    def test_a_kept_file_that_is_damaged_is_read_again(
        self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = serve(monkeypatch, None)
        read()
        (cached,) = remote.READ_CACHE.glob("*.tif")
        cached.write_bytes(cached.read_bytes()[:100])
        assert (read().pixels == PIXELS).all()
        assert len(requests) == 2

    def test_a_full_disk_is_an_error_and_leaves_nothing(
        self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serve(monkeypatch, None)
        cached = remote._cached

        def cut(path: Path, *arguments: Any, **keywords: Any) -> Layer | None:
            if path.exists():
                path.write_bytes(path.read_bytes()[:1000])
            return cached(path, *arguments, **keywords)

        monkeypatch.setattr(remote, "_cached", cut)
        with pytest.raises(InputError, match="cannot be kept"):
            read()
        assert not list(remote.READ_CACHE.iterdir())

    @pytest.mark.parametrize("retries_text", ["0", "2"])
    def test_an_expired_token_is_renewed_once_without_waiting(
        self, retries_text: str, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(settings.HTTP_RETRIES, retries_text)
        requests = serve(monkeypatch, "HTTP response code: 403", None)
        serve_tokens(monkeypatch, token("sig=old"), token("sig=new"))
        read("planetary-computer")
        assert [request.partition("?")[2] for request in requests] == ["sig=old", "sig=new"]
        assert sleeps == []

    def test_a_refusal_that_stays_is_an_error(self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        for profile, attempts in (("planetary-computer", 2), ("earth-search-c1", 1)):
            requests = serve(monkeypatch, "HTTP response code: 403")
            serve_tokens(monkeypatch, token("sig=a"))
            with pytest.raises(RefusedError):
                read(profile)
            assert len(requests) == attempts
        assert sleeps == []

    def test_a_file_that_is_gone_is_not_asked_for_again(
        self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = serve(monkeypatch, "HTTP response code: 404")
        with pytest.raises(GoneError):
            read()
        assert len(requests) == 1

    def test_a_negative_number_of_retries_is_an_error(
        self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(settings.HTTP_RETRIES, "-1")
        requests = serve(monkeypatch, None)
        with pytest.raises(ParamsError, match="out of range"):
            read()
        assert requests == []


class TestToken:
    """Tokens that sign addresses."""

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
        self, failure: Callable[[], Exception], sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = serve_tokens(monkeypatch, failure(), failure(), token("sig=a"))
        assert request_token(TOKEN_URL) == "sig=a"
        assert len(requests) == 3
        assert sleeps == [1, 2]

    def test_a_server_that_stays_busy_is_an_error(self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
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
        self, answer: Callable[[], Exception | str], sleeps: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = serve_tokens(monkeypatch, answer())
        with pytest.raises(InputError, match="gives no token"):
            request_token(TOKEN_URL)
        assert len(requests) == 1
        assert sleeps == []
