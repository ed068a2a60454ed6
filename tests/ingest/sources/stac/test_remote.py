"""Reading files from a server that fails, refuses or answers, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rasterio.errors import RasterioIOError

from stages.common import settings
from stages.common.errors import InputError, SettingError, StorageError
from stages.common.scene.scene import Layer
from stages.ingest.sources.acquisition import GoneError
from stages.ingest.sources.stac import cache, remote
from stages.ingest.sources.stac.profiles import PROFILES
from stages.ingest.sources.stac.remote import RefusedError, RemoteFiles
from tests.ingest.candidates import GRID, region
from tests.ingest.sources.stac.token_server import TOKEN_URL, serve_tokens, token
from tests.small_disk import files_up_to

URL = "https://example.org/B02.tif"
PIXELS = np.arange(GRID.width * GRID.height, dtype=np.uint16).reshape(GRID.shape)


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


def files(profile: str = "earth-search-c1") -> RemoteFiles:
    return RemoteFiles(profile=replace(PROFILES[profile], token_url=TOKEN_URL), region=region())


def read(profile: str = "earth-search-c1") -> Layer:
    return files(profile).layer("B02", URL, nodata=0)


def test_a_server_that_fails_is_asked_again_and_not_waited_for_at_the_end(
    sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = serve(monkeypatch, "HTTP response code: 503")
    with pytest.raises(InputError, match="cannot be read from the server") as caught:
        read()
    assert len(requests) == 3
    assert sleeps == [1, 2]
    assert "at most 3 attempts" in str(caught.value)


def test_the_pixels_arrive_after_a_failure_and_are_kept(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    requests = serve(monkeypatch, "timed out", None)
    for _ in range(2):
        assert (read().pixels == PIXELS).all()
    assert len(requests) == 2


def test_a_kept_file_that_is_damaged_is_read_again(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    requests = serve(monkeypatch, None)
    read()
    (cached,) = cache.READ_CACHE.glob("*.tif")
    cached.write_bytes(cached.read_bytes()[:100])
    assert (read().pixels == PIXELS).all()
    assert len(requests) == 2


def test_a_full_disk_is_an_error_and_leaves_nothing(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, None)
    with files_up_to(200), pytest.raises(StorageError, match="cannot be written"):
        read()
    assert not list(cache.READ_CACHE.iterdir())


@pytest.mark.parametrize("retries_text", ["0", "2"])
def test_an_expired_token_is_renewed_once_without_waiting(
    retries_text: str, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.HTTP_RETRIES, retries_text)
    requests = serve(monkeypatch, "HTTP response code: 403", None)
    serve_tokens(monkeypatch, token("sig=old"), token("sig=new"))
    read("planetary-computer")
    assert [request.partition("?")[2] for request in requests] == ["sig=old", "sig=new"]
    assert sleeps == []


def test_a_refusal_that_stays_is_an_error(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    for profile, attempts in (("planetary-computer", 2), ("earth-search-c1", 1)):
        requests = serve(monkeypatch, "HTTP response code: 403")
        serve_tokens(monkeypatch, token("sig=a"))
        with pytest.raises(RefusedError):
            read(profile)
        assert len(requests) == attempts
    assert sleeps == []


def test_a_file_that_is_gone_is_not_asked_for_again(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    requests = serve(monkeypatch, "HTTP response code: 404")
    with pytest.raises(GoneError):
        read()
    assert len(requests) == 1


def test_a_negative_number_of_retries_is_an_error(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.HTTP_RETRIES, "-1")
    requests = serve(monkeypatch, None)
    with pytest.raises(SettingError):
        read()
    assert requests == []


@pytest.mark.parametrize(
    "words",
    [
        "Access Denied",
        "AccessDenied: Access Denied",
        "Access Denied.",
        "The AWS Access Key Id you provided does not exist in our records.",
        "The request signature we calculated does not match the signature you provided.",
        "The provided token has expired.",
    ],
)
def test_what_s3_says_of_a_refusal_is_one(words: str, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """And not a server that fails, which is asked again, nor a file that is absent, whose scene is left out."""
    requests = serve(monkeypatch, words)
    with pytest.raises(RefusedError) as caught:
        read()
    assert words in caught.value.found
    assert (len(requests), sleeps) == (1, [])


@pytest.mark.parametrize("words", ["NoSuchKey", "The specified key does not exist."])
def test_what_s3_says_of_an_absent_file(words: str, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, words)
    with pytest.raises(GoneError):
        read()


@pytest.mark.parametrize(
    ("words", "damaged"),
    [
        ("not recognized as being in a supported file format", True),
        ("TIFFFetchDirectory:Can not read TIFF directory count", True),
        ("HTTP response code: 503; not recognized as being in a supported file format", False),
        ("Operation timed out", False),
    ],
)
def test_a_damaged_image_rules_its_scene_out(
    words: str, damaged: bool, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a server that fails ends the run: what it did not answer today may be the best scene."""
    serve(monkeypatch, words)
    with pytest.raises(InputError) as caught:
        read()
    assert isinstance(caught.value, GoneError) == damaged
