"""The door of SAFE products: names, numbers and files of a download that may come from anywhere."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from sandbox import tiny
from tests.hostile.case import SECRET, Case
from tests.hostile.door_raster import giant, vrt
from tests.ingest.sources.safe import safe_product

Change = Callable[[Path], None]
HEADER, TILE = "MTD_MSIL2A.xml", "MTD_TL.xml"


def product(site: Path) -> Path:
    """Folder of the only product."""
    (folder,) = (site / "source").glob("*.SAFE")
    return folder


def edited(name: str, old: str, new: str) -> Change:
    """Replace a text in a metadata file."""

    def change(site: Path) -> None:
        (path,) = product(site).rglob(name)
        content = path.read_text()
        if old not in content:
            raise AssertionError(f"{name} lacks {old}")
        path.write_text(content.replace(old, new))

    return change


def named(uri: str) -> Change:
    """Give the product this URI, which becomes the name of its scene."""

    def change(site: Path) -> None:
        edited(HEADER, f"<PRODUCT_URI>{product(site).name}<", f"<PRODUCT_URI>{uri}<")(site)

    return change


def header(content: bytes) -> Change:
    """Replace the metadata of the product."""
    return lambda site: (product(site) / HEADER).write_bytes(content) and None


def image(make: Callable[[Path], object]) -> Change:
    """Replace the image of the band B03."""

    def change(site: Path) -> None:
        (path,) = product(site).rglob("*_B03_10m.jp2")
        path.unlink()
        make(path)

    return change


def zipped(spoil: Callable[[zipfile.ZipFile, Path], None], *, whole: bool = True) -> Change:
    """Pack the product, with something else in the zip."""

    def change(site: Path) -> None:
        safe = product(site)
        path = safe_product.zip_product(safe, site / "source")
        with zipfile.ZipFile(path, "a" if whole else "w", zipfile.ZIP_DEFLATED) as archive:
            spoil(archive, safe)
        shutil.rmtree(safe)

    return change


def link_in_zip(archive: zipfile.ZipFile, safe: Path) -> None:
    """A symbolic link to a file of the machine."""
    entry = zipfile.ZipInfo(f"{safe.name}/link")
    entry.external_attr = 0o120777 << 16
    archive.writestr(entry, "/etc/passwd")


def encrypted(site: Path) -> None:
    """A zip whose entries ask for a password."""
    zipped(lambda archive, safe: None)(site)
    (path,) = (site / "source").glob("*.zip")
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        start = 0
        while (start := content.find(mark, start)) >= 0:
            content[start + place] |= 1
            start += 4
    path.write_bytes(bytes(content))


def cut_zip(site: Path) -> None:
    """The first half of a zip."""
    zipped(lambda archive, safe: None)(site)
    (path,) = (site / "source").glob("*.zip")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 9}">' for n in range(1, 12))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{ENTITIES}]><x>&a11;</x>'
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
REMOTE = '<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:9/secret.dtd"><x/>'

NUMBERS = {
    "BOA_QUANTIFICATION_VALUE": (">10000<", ["nan", "inf", "-10000", "0", "1e300", "ten", ""]),
    "BOA_ADD_OFFSET": (">-1000<", ["nan", "-inf", "1e9", "x", ""]),
    "SENSING_ORBIT_NUMBER": (">5<", ["nan", "inf", "0", "-5", "144", "1e30", "x"]),
    "PRODUCT_START_TIME": (">2020-10-05T05:26:41.024Z<", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
                           "1999-01-01T00:00:00Z", "2020-02-30T00:00:00Z", "yesterday", ""]),
}  # fmt: skip
ANGLES = {
    "ZENITH_ANGLE": (">40.5<", ["inf", "-1", "1e9", "x"]),
    "AZIMUTH_ANGLE": (">160.25<", ["inf", "-7", "361", "north"]),
}  # fmt: skip

NAMES = {
    "a path upwards": "../../../../../../outside/victim", "an absolute path": "/tmp/hostile-victim/x", "dots": "..",
    "a formula": "=HYPERLINK(1)", "a script": "&lt;script&gt;alert(1)&lt;/script&gt;", "a line break": "a&#10;b",
    "a thousand letters": "A" * 1000, "a backslash": "..\\..\\x", "a colour": "&#155;31m",
}  # fmt: skip

FILES: dict[str, tuple[Change, str]] = {
    "no name": (named(" "), "PRODUCT_URI"),
    "entities that multiply": (header(LAUGHS.encode()), "metadata cannot be read"),
    "an entity of a local file": (header(EXTERNAL.encode()), "metadata cannot be read"),
    "a DTD of an address": (header(REMOTE.encode()), "metadata cannot be read"),
    "metadata of 40 MB": (header(b"<x>" + b" " * (40 * 2**20) + b"</x>"), "metadata cannot be read"),
    "metadata that are binary": (header(bytes(range(256))), "metadata cannot be read"),
    "metadata in another encoding": (header("<x/>".encode("utf-16")), "metadata cannot be read"),
    "metadata without end": (header(b"<x>" * 99_999), "metadata cannot be read"),
    "no metadata": (header(b""), "metadata cannot be read"),
    "a tile id with a path": (edited(TILE, "_T44RLV_N", "_T../..//_N"), "metadata cannot be read"),
    "an image that is a VRT": (image(vrt("../../../../../../outside/keep.txt")), "truncated or damaged"),
    "an image that is a GeoTIFF": (
        image(lambda path: tiny.write_scene(path, tiny.scene(2020))), "truncated or damaged"),
    "an image that is text": (image(lambda path: path.write_text(SECRET)), "truncated or damaged"),
    "an image that is empty": (image(lambda path: path.write_bytes(b"")), "truncated or damaged"),
    "an image that is a giant GeoTIFF": (image(giant), "truncated or damaged"),
    "an image that is a folder": (image(Path.mkdir), "lacks bands"),
    "a mask with a path": (edited(TILE, "MSK_DETFOO_B01.gml", "../../../../x/MSK_DETFOO_B03.jp2"), "lacks masks"),
    "a zip that leads out": (zipped(lambda archive, safe: archive.writestr("../../x", "x")), "cannot be trusted"),
    "a zip with an absolute name": (zipped(lambda archive, safe: archive.writestr("/x", "x")), "cannot be trusted"),
    "a zip with a drive": (zipped(lambda archive, safe: archive.writestr("C:/x", "x")), "cannot be trusted"),
    "a zip with a link": (zipped(link_in_zip), "cannot be trusted"),
    "a zip that unpacks to a thousand times": (
        zipped(lambda archive, safe: archive.writestr(f"{safe.name}/z", b"\0" * 9_000_000)), "cannot be trusted"),
    "a zip without a product": (
        zipped(lambda archive, safe: archive.writestr("readme", "x"), whole=False), "holds no Sentinel-2 product"),
    "a zip with a password": (encrypted, "damaged"),
    "half a zip": (cut_zip, "damaged"),
}  # fmt: skip

CASES = [
    Case(door="SAFE", base="safe", name=f"{field} is {value!r}", change=edited(file, old, f">{value}<"), piece=field
         if field != "PRODUCT_START_TIME" else "a time such as" if value else field)
    for file, fields in ((HEADER, NUMBERS), (TILE, ANGLES))
    for field, (old, values) in fields.items() for value in values
] + [
    Case(door="SAFE", base="safe", name=f"a product named by {name}", change=named(uri), code=0) for name, uri in
    NAMES.items()
] + [
    Case(door="SAFE", base="safe", name=name, change=change, piece=piece) for name, (change, piece) in FILES.items()
]  # fmt: skip
