"""Read the site's window of files on a server: repeated on failure, with renewed tokens, and kept once read.

What has been read is kept in `READ_CACHE` until an ingest ends well, so that an interrupted one continues where it
stopped. A file in it is whole or absent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioIOError
from rasterio.session import Session

from stages.common import settings
from stages.common.errors import InputError, ParamsError
from stages.common.geo.raster import GDAL_CACHE_BYTES, grid_of, profile
from stages.common.run.outputs import SCRATCH
from stages.common.scene.scene import Layer
from stages.ingest.region import MARGIN_PX, Region
from stages.ingest.sources.acquisition import GoneError
from stages.ingest.sources.stac.profiles import Profile
from stages.ingest.sources.stac.retries import RETRY_STATUS, TransientError, with_retries
from stages.ingest.windowed import read_layer

READ_CACHE = SCRATCH / "fetched"

PROGRESS_BYTES = 5 * 10**8
"""A line in the log reports progress each time that so much more has been read; progress bars need a terminal."""

log = logging.getLogger("ingest")

GDAL_OPTIONS: Mapping[str, str | int] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_CACHEMAX": GDAL_CACHE_BYTES,
    "GDAL_HTTP_CONNECTTIMEOUT": 20,
    "GDAL_HTTP_LOW_SPEED_TIME": 30,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1000,
    "GDAL_HTTP_MULTIRANGE": "YES",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    # A failed address must be asked again, not remembered as failed.
    "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/",
}

STATUS = re.compile(r"(?:HTTP response code|HTTP error code|returned error|<title>)[^:\d]{0,4}:?\s*([45]\d\d)\b")
GONE, REFUSED = (404, 410), (400, 401, 403)
S3_WORDS = {
    "NoSuchKey": 404,
    "does not exist": 404,
    "AccessDenied": 403,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
}
"""HTTP status of the words in which S3 reports an error."""


class KeySession(Session):  # type: ignore[misc]
    """Access keys for GDAL. Rasterio takes keys from a session only, and its own session class needs all of boto3."""

    def __init__(self, **options: str) -> None:
        self.options = options

    @classmethod
    def hascreds(cls, config: Mapping[str, object]) -> bool:
        """Return whether `config` holds keys already."""
        return "AWS_ACCESS_KEY_ID" in config

    def get_credential_options(self) -> Mapping[str, str]:
        """Return the keys as options of GDAL."""
        return self.options


class RefusedError(InputError):
    """A server refuses access to a file."""


@dataclass(kw_only=True)
class RemoteFiles:
    """Files of one catalogue. Not for several threads: the token is shared."""

    profile: Profile
    region: Region
    token: str = field(default="", repr=False)
    read_bytes: int = 0
    """Size of the pixels read from the server so far."""

    def layer(self, name: str, href: str, *, nodata: float | None) -> Layer:
        """Read a layer's window, or take what an earlier run has read.

        Raises
        ------
        GoneError
            The server does not have the file.
        InputError
            The server refuses, or fails again and again; or the disk is full.
        """
        path = READ_CACHE / f"{self._key(name, href)}.tif"
        layer = _cached(path, name, nodata=nodata)
        if layer is None:
            layer = _store(path, self.read_with_retries(name, href, nodata=nodata))
            self._log_progress(href, layer.pixels.nbytes)
        return layer

    def _log_progress(self, href: str, size: int) -> None:
        before, self.read_bytes = self.read_bytes, self.read_bytes + size
        log.debug("%s: %.1f MB", without_query(href), size / 1e6)
        if before // PROGRESS_BYTES < self.read_bytes // PROGRESS_BYTES:
            log.info("%.1f GB of pixels read so far", self.read_bytes / 1e9)

    def _key(self, name: str, href: str) -> str:
        """Return a hash of all that the cached pixels depend on."""
        aoi = self.region.aoi.to_wkt().to_csv()
        parts = [name, without_query(href), str(self.region.grid), aoi, MARGIN_PX]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def read_with_retries(self, name: str, href: str, *, nodata: float | None) -> Layer:
        """Read a layer's window from the server, repeatedly where the server fails.

        Raises
        ------
        GoneError, RefusedError, InputError
            As `layer`.
        """
        return with_retries(partial(self._read, name, href, nodata=nodata), partial(_failing, href))

    def _read(self, name: str, href: str, *, nodata: float | None) -> Layer:
        """Read a layer's window once, and once more with a new token where the server refuses the current one."""
        try:
            return self._read_window(name, href, nodata=nodata)
        except RefusedError:
            if self.profile.access != "sas":
                raise
        self.token = ""
        return self._read_window(name, href, nodata=nodata)

    def _read_window(self, name: str, href: str, *, nodata: float | None) -> Layer:
        address = self._address(href)
        try:
            with rasterio.Env(self._session(), **GDAL_OPTIONS, **self.profile.gdal):
                return read_layer(name, address, self.region, where=without_query(href), nodata=nodata)
        except RasterioIOError as error:
            status, reason = _diagnose(error)
        log.debug("%s: %s", without_query(href), reason)
        if status in GONE:
            raise _gone(href, status)
        if status in REFUSED:
            raise self._refused(href, reason)
        raise TransientError(reason)

    def _address(self, href: str) -> str:
        """Return the name under which GDAL reads a file, with a token where the catalogue needs one."""
        if href.startswith("s3://"):
            return "/vsis3/" + href.removeprefix("s3://")
        if self.profile.access == "sas":
            self.token = self.token or request_token(self.profile.token_url)
            return f"/vsicurl/{without_query(href)}?{self.token}"
        return f"/vsicurl/{href}"

    def _session(self) -> Session | None:
        if self.profile.access != "s3":
            return None
        key, secret = (settings.lookup(name) for name in (settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY))
        if not key or not secret:
            raise ParamsError(
                "the catalogue's files need access keys",
                where=f"environment: {settings.S3_ACCESS_KEY}, {settings.S3_SECRET_KEY}",
                expected="both set",
                found="one of them unset",
                fix="make keys in your Copernicus Data Space account and export them (docs/data.md)",
            )
        scheme, _, host = settings.get(settings.S3_ENDPOINT, f"https://{self.profile.s3_endpoint}").rpartition("://")
        return KeySession(
            AWS_S3_ENDPOINT=host,
            AWS_HTTPS="NO" if scheme == "http" else "YES",
            AWS_ACCESS_KEY_ID=key,
            AWS_SECRET_ACCESS_KEY=secret,
        )

    def _refused(self, href: str, reason: str) -> RefusedError:
        return RefusedError(
            "the server refuses a file",
            where=without_query(href),
            expected=f"access ({self.profile.access})",
            found=reason,
            fix="check account and keys (docs/data.md)",
        )


def request_token(url: str) -> str:
    """Request a token that signs addresses for a limited time, repeatedly where the server fails.

    Raises
    ------
    InputError
        The server gives none.
    """
    return with_retries(partial(_request_token_once, url), partial(_no_token, url))


def _request_token_once(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=settings.HTTP_TIMEOUT_S) as answer:
            return str(json.load(answer)["token"])
    except urllib.error.HTTPError as error:
        error.close()
        reason = settings.without_secrets(str(error))
        if error.code in RETRY_STATUS:
            raise TransientError(reason) from None
        raise _no_token(url, reason) from error
    except (OSError, HTTPException) as error:  # no connection, a timeout, or an answer that breaks off
        raise TransientError(settings.without_secrets(str(error) or type(error).__name__)) from None
    except (ValueError, KeyError, TypeError) as error:
        raise _no_token(url, settings.without_secrets(str(error))) from error


def _no_token(url: str, reason: str, attempts: int = 1) -> InputError:
    return InputError(
        "the catalogue gives no token for its files",
        where=without_query(url),
        expected='{"token": …}',
        found=f"{reason} (attempts: {attempts})",
        fix="check the network and ingest.stac.token_url; try again later",
    )


def without_query(href: str) -> str:
    """Return an address without its query, which may hold a signature."""
    return href.partition("?")[0]


def remove_read_cache() -> None:
    """Remove all layers that have been kept."""
    shutil.rmtree(READ_CACHE, ignore_errors=True)


def _cached(path: Path, name: str, *, nodata: float | None) -> Layer | None:
    """Return a kept layer, or None where there is none that can be read."""
    if not path.exists():
        return None
    try:
        with rasterio.open(path) as dataset:
            return Layer(name=name, pixels=np.asarray(dataset.read(1)), grid=grid_of(dataset), nodata=nodata)
    except RasterioIOError:
        return None


def _store(path: Path, layer: Layer) -> Layer:
    """Keep a layer, and return it as it is read back: GDAL does not report a full disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    options = profile(layer.grid, count=1, dtype=str(layer.pixels.dtype), nodata=None) | {"compress": "zstd"}
    with rasterio.open(draft, "w", **options) as out:
        out.write(layer.pixels, 1)
    stored = _cached(draft, layer.name, nodata=layer.nodata)
    if stored is None or not np.array_equal(stored.pixels, layer.pixels, equal_nan=True):
        draft.unlink()
        raise InputError(
            "a layer that was read from the server cannot be kept",
            where=path,
            expected="a file that reads back as it was written",
            found="a truncated file; the disk may be full",
            fix="free some disk space and run it again",
        )
    draft.replace(path)
    return stored


def _diagnose(error: BaseException) -> tuple[int | None, str]:
    """Return the HTTP status, where there was one, and the reason in words, without secrets."""
    messages: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        messages.append(" ".join(str(cause).split()))
        cause = cause.__cause__ or cause.__context__
    reason = settings.without_secrets("; ".join(dict.fromkeys(messages)))[:300]
    match = STATUS.search(reason)
    status_in_words = next((status for word, status in S3_WORDS.items() if word in reason), None)
    return (int(match[1]) if match else status_in_words), reason


def _gone(href: str, status: int | None) -> GoneError:
    return GoneError(
        "the catalogue names a file that is not there",
        where=without_query(href),
        expected="a raster",
        found=f"HTTP {status}",
        fix="name the scene in ingest.choice.leave_out, so that the next best is taken",
    )


def _failing(href: str, reason: str, attempts: int) -> InputError:
    return InputError(
        "a file cannot be read from the server",
        where=without_query(href),
        expected=f"pixels after at most {attempts} attempts",
        found=reason,
        fix="run it again later: what has been read is kept",
    )
