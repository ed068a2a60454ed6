"""What the Sentinel-2 sources refuse: exit code 2, a message that says the fix, and ``data/`` as it was."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox import tiny
from stages.ingest.ingest import main
from tests.ingest.sources.safe import safe_product
from tests.ingest.test_refusals import refused

Spoiler = Callable[[Path, dict[str, Any]], None]
DAY = "2020-10-01"

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'


def product(source: Path) -> Path:
    return next(source.glob("*.SAFE"))


def replaced(pattern: str, content: bytes | str | None) -> Spoiler:
    """Replace a file of the product, or remove it."""

    def spoil(source: Path, params: dict[str, Any]) -> None:
        (path,) = product(source).rglob(pattern)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    return spoil


def edited(pattern: str, old: str, new: str) -> Spoiler:
    """Change the text of a file of the product."""

    def spoil(source: Path, params: dict[str, Any]) -> None:
        (path,) = product(source).rglob(pattern)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return spoil


def shortened(pattern: str, share: float = 0.5) -> Spoiler:
    def spoil(source: Path, params: dict[str, Any]) -> None:
        (path,) = product(source).rglob(pattern)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * share)])

    return spoil


def zipped(change: Callable[[Path], None] = lambda _: None, *, keep: bool = False) -> Spoiler:
    """Pack the product, and change the zip."""

    def spoil(source: Path, params: dict[str, Any]) -> None:
        safe = product(source)
        path = safe_product.zip_product(safe, source)
        if not keep:
            shutil.rmtree(safe)
        change(path)

    return spoil


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def entry(name: str, content: bytes = b"x", mode: int = 0) -> Callable[[Path], None]:
    """Add a file to the zip."""

    def change(path: Path) -> None:
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)

    return change


def bare_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")


def no_zip(path: Path) -> None:
    path.write_bytes(b"<html>please log in</html>")


def add_product(**changes: Any) -> Spoiler:
    """Add a product."""
    return lambda source, params: safe_product.write_product(source, **{"day": "2020-10-06", **changes}) and None  # type: ignore[func-returns-value]


def replace_product(**changes: Any) -> Spoiler:
    """Another product in place of the good one."""

    def spoil(source: Path, params: dict[str, Any]) -> None:
        shutil.rmtree(product(source))
        safe_product.write_product(source, **{"day": DAY, **changes})

    return spoil


def setting(value: Any, *keys: str) -> Spoiler:
    """Set one parameter."""

    def spoil(source: Path, params: dict[str, Any]) -> None:
        target: Any = params
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return spoil


def from_catalogue(**stac: Any) -> Spoiler:
    """Take the scenes from a catalogue."""

    def spoil(source: Path, params: dict[str, Any]) -> None:
        changes = {"profile": "earth-search-c1", "url": "http://127.0.0.1:9/none", "private_addresses": True} | stac
        params["ingest"] |= {"source": "stac", "stac": {key: value for key, value in changes.items() if value}}

    return spoil


def gone(source: Path, params: dict[str, Any]) -> None:
    shutil.rmtree(product(source))


def both(*spoilers: Spoiler) -> Spoiler:
    def spoil(source: Path, params: dict[str, Any]) -> None:
        for spoiler in spoilers:
            spoiler(source, params)

    return spoil


HEADER, TILE = "MTD_MSIL2A.xml", "MTD_TL.xml"
CLOUDY = np.full((160, 160), 9, np.uint8)

QUALITY = {"MSK_QUALIT_B03": np.zeros((8, 160, 160), np.uint8)}
ONE_LAYER = {"MSK_QUALIT_B03": np.zeros((1, 160, 160), np.uint8)}

CASES: list[tuple[str, Spoiler, str]] = [
    ("folder-absent", setting("nowhere", "ingest", "safe", "folder"), "there is no Sentinel-2 product"),
    ("folder-without-product", gone, "there is no Sentinel-2 product"),
    ("folder-variable-unset", setting("${NO_SUCH}/x", "ingest", "safe", "folder"), "variable NO_SUCH is not set"),
    ("section-absent", lambda _, params: params["ingest"].pop("safe") and None, "the source's parameters are absent"),
    ("l1c-among-l2a", add_product(level="1C"), "surface reflectance never mix"),
    ("l1c-not-asked-for", replace_product(level="1C"), "surface reflectance never mix"),
    ("l2a-where-l1c-is-asked-for", setting("L1C", "ingest", "safe", "processing_level"), "never mix"),
    ("l1c-at-20-m", both(setting("L1C", "ingest", "safe", "processing_level"),
                         setting(20, "ingest", "safe", "resolution_m")), "only at its own resolution"),
    ("level-unknown", setting("L3", "ingest", "safe", "processing_level"), "break the schema"),
    ("resolution-unknown", setting(15, "ingest", "safe", "resolution_m"), "break the schema"),
    ("band-unknown", setting(["B03", "B04", "B11", "B13"], "prepare", "bands"), "Sentinel-2 has no such band"),
    ("band-absent", replaced("*_B11_20m.jp2", None), "the product lacks bands"),
    ("band-absent-at-20-m", setting(20, "ingest", "safe", "resolution_m"), "the product lacks bands"),
    ("header-absent", replaced(HEADER, None), "the Sentinel-2 product has no metadata"),
    ("tile-header-absent", replaced(TILE, None), "the Sentinel-2 product has no metadata"),
    ("header-no-xml", replaced(HEADER, "<html>please log in"), "the product's metadata cannot be read"),
    ("header-empty", replaced(HEADER, ""), "the product's metadata cannot be read"),
    ("header-billion-laughs", replaced(HEADER, LAUGHS), "plain XML without DTD and entities"),
    ("header-reads-a-file", replaced(TILE, OUTSIDE), "plain XML without DTD and entities"),
    ("header-huge", replaced(HEADER, b" " * (32 * 2**20 + 1)), "bytes of XML"),
    ("header-of-a-million-elements", replaced(HEADER, b"<r>" + b"<a/>" * 2**20 + b"</r>"), "bytes of XML"),
    ("baseline-absent", edited(HEADER, "PROCESSING_BASELINE", "X"), "the product's metadata cannot be read"),
    ("time-no-time", edited(HEADER, f"{DAY}T", "yesterday "), "a time such as"),
    ("orbit-no-number", edited(HEADER, ">5<", ">five<"), "a number in SENSING_ORBIT_NUMBER"),
    ("orbit-nan", edited(HEADER, ">5<", ">nan<"), "a positive number in SENSING_ORBIT_NUMBER"),
    ("scale-zero", edited(HEADER, ">10000<", ">0<"), "a positive number in BOA_QUANTIFICATION_VALUE"),
    ("sun-no-number", edited(TILE, ">40.5<", ">high<"), "degrees in ZENITH_ANGLE"),
    ("offset-of-negative-band", edited(HEADER, 'band_id="12"', 'band_id="-1"'), "BOA_ADD_OFFSET with band_id 0 to 12"),
    ("offset-no-number", edited(HEADER, ">-1000<", ">minus<"), "BOA_ADD_OFFSET with band_id 0 to 12"),
    ("offset-of-no-band", edited(HEADER, 'band_id="12"', 'band_id="77"'), "BOA_ADD_OFFSET with band_id 0 to 12"),
    ("tile-no-tile", edited(TILE, "_T44RLV_", "_"), "a tile id such as"),
    ("image-cut", shortened("*_B03_10m.jp2", 0.3), "an image of the product is truncated or damaged"),
    ("image-no-image", replaced("*_B03_10m.jp2", b"\0" * 999), "an image of the product is truncated or damaged"),
    ("scl-no-image", replaced("*_SCL_20m.jp2", b"x"), "an image of the product is truncated or damaged"),
    ("mask-absent", both(replace_product(masks=QUALITY), replaced("MSK_QUALIT_B03.jp2", None)),
     "the product lacks masks that its metadata name"),
    ("mask-no-image", both(replace_product(masks=QUALITY), replaced("MSK_QUALIT_B03.jp2", b"x")),
     "an image of the product is truncated or damaged"),
    ("mask-of-one-layer", replace_product(masks=ONE_LAYER), "a mask of the product is not as the specification says"),
    ("zip-cut", zipped(cut), "the zip is damaged or holds no Sentinel-2 product"),
    ("zip-no-zip", zipped(no_zip), "the zip is damaged or holds no Sentinel-2 product"),
    ("zip-of-something-else", zipped(bare_zip), "the zip is damaged or holds no Sentinel-2 product"),
    ("zip-slip", zipped(entry("S2A.SAFE/../../../evil")), "the zip cannot be trusted"),
    ("zip-absolute", zipped(entry("/tmp/evil")), "the zip cannot be trusted"),
    ("zip-drive", zipped(entry("C:\\evil")), "the zip cannot be trusted"),
    ("zip-link", zipped(entry("S2A.SAFE/link", b"/etc/passwd", mode=0o120777)), "the zip cannot be trusted"),
    ("zip-bomb", zipped(entry("S2A.SAFE/bomb", b"\0" * 4_000_000)), "the zip cannot be trusted"),
    ("product-twice", zipped(keep=True), "two candidate scenes have the same id"),
    ("year-without-product", setting([2020, 2021], "years"), "there is no valid scene of 2021"),
    ("year-under-cloud", replace_product(scl=CLOUDY), "there is no valid scene of 2020"),
    ("year-elsewhere", replace_product(left=tiny.LEFT + 90_000), "the AOI lies outside the raster (1)"),
    ("year-out-of-season", replace_product(day="2020-07-01"), "outside the season"),
    ("year-left-out", setting({"off_glacier_snow_max": 2}, "ingest", "choice"), "break the schema"),
    (
        "season-reversed",
        setting({"first": "11-10", "last": "09-20"}, "ingest", "season"),
        "a year of the series begins within the season",
    ),
    ("season-no-day", setting({"first": "9-20", "last": "11-10"}, "ingest", "season"), "break the schema"),
    ("source-unknown", setting("ftp", "ingest", "source"), "break the schema"),
    ("stac-section-absent", setting("stac", "ingest", "source"), "the source's parameters are absent"),
    ("stac-profile-unknown", from_catalogue(profile="scihub"), "break the schema"),
    ("stac-url-no-url", from_catalogue(url="ftp://x"), "break the schema"),
    ("stac-band-unknown", both(from_catalogue(), setting(["B03", "B04", "B11", "B10"], "prepare", "bands")),
     "the catalogue has no such band"),
    ("stac-nobody-there", from_catalogue(), "the catalogue cannot be searched"),
]  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one product, ingested. Never changed."""
    folder = tmp_path_factory.mktemp("safe")
    safe_product.make_site(folder, [DAY])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([]) == 0
    return folder


@pytest.mark.enable_socket  # to nobody: port 9 of this machine
@pytest.mark.parametrize(("spoiler", "message"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_is_wrong_is_refused_and_data_stays(
    spoiler: Spoiler, message: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    site = tmp_path / "site"
    shutil.copytree(good, site)
    monkeypatch.chdir(site)
    monkeypatch.setenv("GLACIER_HTTP_RETRIES", "0")
    params = safe_product.load(site)
    spoiler(site / "source", params)
    tiny.write_params(site, params | {"training_years": [2020]})
    refused(site, message, capfd)
    assert not list((site / "artifacts/.tmp").glob("*"))
