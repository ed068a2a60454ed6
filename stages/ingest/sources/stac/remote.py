"""Reading the site's window of files on a server, patiently: retried, renewed, and kept once read.

What has been read is kept in `KEPT` until an ingest ends well, so that an interrupted one goes on where it stopped.
A file there is whole or absent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from stages.ingest.windowed import read_layer

KEPT = SCRATCH / "fetched"

PROGRESS_BYTES = 5 * 10**8
"""How often the size read is told; the bars need a terminal."""

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
"""What S3 says in words, as status."""


class KeySession(Session):  # type: ignore[misc]
    """Access keys for GDAL. Rasterio takes them from a session alone, and its own needs the whole of boto3."""

    def __init__(self, **options: str) -> None:
        self.options = options

    @classmethod
    def hascreds(cls, config: Mapping[str, object]) -> bool:
        """Whether `config` holds keys already."""
        return "AWS_ACCESS_KEY_ID" in config

    def get_credential_options(self) -> Mapping[str, str]:
        """As GDAL's options."""
        return self.options


@dataclass(kw_only=True)
class Remote:
    """Files of one catalogue."""

    profile: Profile
    region: Region
    token: str = field(default="", repr=False)
    read_bytes: int = 0
    """Size of the pixels read from the server."""

    def layer(self, name: str, href: str, *, nodata: float | None) -> Layer:
        """Read a layer's window, or take what an earlier run has read.

        Raises
        ------
        GoneError
            The file is not there.
        InputError
            The server refuses, or fails again and again.
        """
        kept = KEPT / f"{self._key(name, href)}.tif"
        if not kept.exists():
            fresh = self._patiently(name, href, nodata=nodata)
            size = fresh.pixels.nbytes
            if self.read_bytes // PROGRESS_BYTES < (self.read_bytes + size) // PROGRESS_BYTES:
                log.info("%.1f GB of pixels read so far", (self.read_bytes + size) / 1e9)
            self.read_bytes += size
            log.debug("%s: %.1f MB", bare(href), size / 1e6)
            _keep(kept, fresh)
        with rasterio.open(kept) as dataset:
            return Layer(name=name, pixels=np.asarray(dataset.read(1)), grid=grid_of(dataset), nodata=nodata)

    def _key(self, name: str, href: str) -> str:
        """What the kept pixels depend on."""
        known = [name, bare(href), str(self.region.grid), self.region.aoi.to_wkt().to_csv(), MARGIN_PX]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:32]

    def _patiently(self, name: str, href: str, *, nodata: float | None) -> Layer:
        renewed = False
        for attempt in range(settings.http_retries() + 1):
            try:
                with rasterio.Env(self._session(), **GDAL_OPTIONS, **self.profile.gdal):
                    return read_layer(name, self._address(href), self.region, where=bare(href), nodata=nodata)
            except RasterioIOError as error:
                status, said = _diagnose(error)
                log.debug("%s, attempt %d: %s", bare(href), attempt + 1, said)
                if status in GONE:
                    raise _gone(href, status) from None
                if status in REFUSED and renewed:
                    raise self._refused(href, said) from None
                if status in REFUSED and self.profile.access != "sas":
                    raise self._refused(href, said) from None
                if status in REFUSED:
                    self.token, renewed = "", True
                    continue
            time.sleep(settings.http_retry_wait_s() * 2**attempt)
        raise _failing(href, said)

    def _address(self, href: str) -> str:
        """A file as GDAL names it, with a token where one is needed."""
        if href.startswith("s3://"):
            return "/vsis3/" + href.removeprefix("s3://")
        if self.profile.access == "sas":
            self.token = self.token or get_token(self.profile.token_url)
            return f"/vsicurl/{bare(href)}?{self.token}"
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

    def _refused(self, href: str, said: str) -> InputError:
        return InputError(
            "the server refuses a file",
            where=bare(href),
            expected=f"access ({self.profile.access})",
            found=said,
            fix="check account and keys (docs/data.md)",
        )


def get_token(url: str) -> str:
    """A token that signs addresses for a while.

    Raises
    ------
    InputError
        The server gives none.
    """
    try:
        with urllib.request.urlopen(url, timeout=settings.HTTP_TIMEOUT_S) as answer:
            return str(json.load(answer)["token"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "the catalogue gives no token for its files",
            where=bare(url),
            expected='{"token": …}',
            found=settings.without_secrets(str(error)),
            fix="check the network and ingest.stac.token_url; try again later",
        ) from error


def bare(href: str) -> str:
    """An address without its query, where signatures stand."""
    return href.partition("?")[0]


def forget() -> None:
    """Remove what has been kept."""
    shutil.rmtree(KEPT, ignore_errors=True)


def _keep(path: Path, layer: Layer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    options = profile(layer.grid, count=1, dtype=str(layer.pixels.dtype), nodata=None) | {"compress": "zstd"}
    with rasterio.open(draft, "w", **options) as out:
        out.write(layer.pixels, 1)
    draft.replace(path)


def _diagnose(error: BaseException) -> tuple[int | None, str]:
    """HTTP status, where there was one, and what was said, without secrets."""
    parts, one = [], error
    while one is not None:
        parts.append(" ".join(str(one).split()))
        one = one.__cause__ or one.__context__  # type: ignore[assignment]
    said = settings.without_secrets("; ".join(dict.fromkeys(parts)))[:300]
    match = STATUS.search(said)
    in_words = next((status for word, status in S3_WORDS.items() if word in said), None)
    return (int(match[1]) if match else in_words), said


def _gone(href: str, status: int | None) -> GoneError:
    return GoneError(
        "the catalogue names a file that is not there",
        where=bare(href),
        expected="a raster",
        found=f"HTTP {status}",
        fix="name the scene in ingest.choice.leave_out, so that the next best is taken",
    )


def _failing(href: str, said: str) -> InputError:
    return InputError(
        "a file cannot be read from the server",
        where=bare(href),
        expected=f"pixels after at most {settings.http_retries() + 1} attempts",
        found=said,
        fix="run it again, later: what has been read is kept",
    )
