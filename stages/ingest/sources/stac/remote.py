"""Read the site's window of files on a server: repeated on failure, with renewed tokens, and kept once read.

What has been read is kept (`stages.ingest.sources.stac.cache`) until an ingest ends well, so that an interrupted one
continues where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import rasterio
from rasterio.errors import RasterioIOError
from rasterio.session import Session

from stages.common import settings
from stages.common.errors import InputError, SettingError
from stages.common.geo.raster import GDAL_CACHE_BYTES
from stages.common.scene.scene import Layer
from stages.ingest.region import MARGIN_PX, Region
from stages.ingest.sources.acquisition import DamagedError, GoneError
from stages.ingest.sources.stac.addresses import final_address
from stages.ingest.sources.stac.cache import READ_CACHE, load_layer, store_layer
from stages.ingest.sources.stac.profiles import Profile
from stages.ingest.sources.stac.retries import TransientError, with_retries
from stages.ingest.sources.stac.signing import request_token, without_query
from stages.ingest.windowed import read_layer

PROGRESS_BYTES = 5 * 10**8
"""A line in the log reports progress each time that so much more has been read; progress bars need a terminal."""

log = logging.getLogger("ingest")

GDAL_OPTIONS: Mapping[str, str | int] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_CACHEMAX": GDAL_CACHE_BYTES,
    "GDAL_HTTP_CONNECTTIMEOUT": 20,
    "GDAL_HTTP_TIMEOUT": int(settings.HTTP_ANSWER_MAX_S),
    "GDAL_HTTP_LOW_SPEED_TIME": 30,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1000,
    "GDAL_HTTP_MULTIRANGE": "YES",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    # A failed address must be asked again, not remembered as failed.
    "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/",
}

STATUS = re.compile(r"(?:HTTP response code|HTTP error code|returned error|<title>)[^:\d]{0,4}:?\s*([45]\d\d)\b")
NO_IMAGE = re.compile(
    r"supported file format|Not a TIFF|TIFFFetchDirectory|Cannot read TIFF header|(ZIP|ZSTD|LZW|JPEG|LERC)Decode"
)
"""GDAL's words where the bytes have arrived, and are no image."""

GONE, REFUSED = (404, 410), (400, 401, 403)
S3_WORDS = {
    "AccessDenied": 403,
    "Access Denied": 403,
    "Forbidden": 403,
    "InvalidAccessKeyId": 403,
    "Access Key Id": 403,  # "The AWS Access Key Id you provided does not exist in our records."
    "SignatureDoesNotMatch": 403,
    "signature we calculated does not match": 403,
    "token has expired": 403,
    "difference between the request time and the": 403,
    "NoSuchKey": 404,
    "does not exist": 404,
}
"""HTTP status of the words in which S3 reports an error: its code, or its message. The first that occurs counts."""


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
    private: bool = False
    """Whether files may lie in a private network."""
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
        layer = load_layer(path, name, nodata=nodata)
        if layer is None:
            layer = store_layer(path, self.read_with_retries(name, href, nodata=nodata))
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
            self.token = self.token or request_token(self.profile.token_url, private=self.private)
            href = f"{without_query(href)}?{self.token}"
        return f"/vsicurl/{final_address(href, private=self.private)}"

    def _session(self) -> Session | None:
        if self.profile.access != "s3":
            return None
        key, secret = (settings.lookup(name) for name in (settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY))
        if not key or not secret:
            raise SettingError(
                "the catalogue's files need access keys",
                where=f"environment: {settings.S3_ACCESS_KEY}, {settings.S3_SECRET_KEY}",
                expected="both set",
                found="one of them unset",
                fix="create keys in your Copernicus Data Space account and export them (docs/data.md)",
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
    if NO_IMAGE.search(reason) and not STATUS.search(reason):
        return DamagedError(
            "an image on the server is damaged", where=without_query(href), expected="a GeoTIFF or JPEG 2000 file",
            found=reason, fix="name the scene in ingest.choice.leave_out, so that the next best is taken",
        )  # fmt: skip
    return InputError(
        "a file cannot be read from the server",
        where=without_query(href),
        expected=f"pixels after at most {attempts} attempts",
        found=reason,
        fix="run it again later: what has been read is kept",
    )
