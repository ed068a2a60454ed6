"""The door of rasters: a scene, a cloud mask and a DEM of params.yaml that are something else."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from sandbox import tiny
from tests.hostile import server
from tests.hostile.case import Case
from tests.hostile.door_params import put

Make = Callable[[Path], object]
PLACE = Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, -tiny.PIXEL_M, tiny.TOP)

VRT = """<VRTDataset rasterXSize="160" rasterYSize="160"><SRS>{crs}</SRS>
<GeoTransform>{left}, 30, 0, {top}, 0, -30</GeoTransform>{bands}</VRTDataset>"""
BAND = """<VRTRasterBand dataType="Byte" band="{band}"><SimpleSource><SourceFilename>{source}</SourceFilename>
<SourceBand>{band}</SourceBand></SimpleSource></VRTRasterBand>"""


def vrt(source: str) -> Make:
    """Three bands that lie in another file."""

    def make(path: Path) -> None:
        bands = "".join(BAND.format(band=band, source=source) for band in (1, 2, 3))
        path.write_text(VRT.format(crs=tiny.CRS, left=tiny.LEFT, top=tiny.TOP, bands=bands))

    return make


def remote_vrt(path: Path) -> None:
    """Three bands that lie on a server of the private network."""
    vrt(f"/vsicurl/{server.address()}/secret.tif")(path)


def wms(path: Path) -> None:
    """A description of a map server."""
    path.write_text(
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{server.address()}/secret</ServerUrl></Service></GDAL_WMS>'
    )


def giant(path: Path, *, size: int = 100_000, tile: int = 1024, count: int = 3, dtype: str = "uint8",
          pixel_m: float = 0.04, **options: Any) -> None:  # fmt: skip
    """An empty GeoTIFF of few bytes and many pixels over the site."""
    tiles = {"tiled": True, "blockxsize": tile, "blockysize": tile}
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=count, dtype=dtype, crs=tiny.CRS, sparse_ok=True,
        transform=Affine(pixel_m, 0, tiny.LEFT, 0, -pixel_m, tiny.TOP), bigtiff="YES", **tiles, **options,
    ):  # fmt: skip
        pass


def archive(path: Path) -> None:
    """A zip with a raster in it."""
    with zipfile.ZipFile(path, "w") as file:
        file.write("source/2020.tif", "a.tif")


def picture(driver: str) -> Make:
    """A picture without a place."""

    def make(path: Path) -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(path, "w", driver=driver, width=9, height=9, count=3, dtype="uint8") as out:
                out.write(np.zeros((3, 9, 9), "uint8"))
        Path(f"{path}.aux.xml").unlink(missing_ok=True)

    return make


def written(content: bytes) -> Make:
    """A file with this content."""
    return lambda path: path.write_bytes(content)


def part(share: float) -> Make:
    """The beginning of the real scene."""

    def make(path: Path) -> None:
        content = (path.parent / "2021.tif").read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return make


UNREADABLE: dict[str, tuple[Make, str]] = {
    "a VRT of a local file": (vrt("../../outside/keep.txt"), "not readable as a raster"),
    "a VRT of the scene of another year": (vrt("2021.tif"), "not readable as a raster"),
    "a VRT of an address": (remote_vrt, "not readable as a raster"),
    "a map server": (wms, "not readable as a raster"),
    "a PNG": (picture("PNG"), "not readable as a raster"),
    "a GIF": (written(b"GIF89a" + b"\1" * 99), "not readable as a raster"),
    "HDF5": (written(b"\x89HDF\r\n\x1a\n" + b"\0" * 99), "not readable as a raster"),
    "a NetCDF": (written(b"CDF\1" + b"\0" * 99), "not readable as a raster"),
    "a grid of ASCII": (written(b"ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2\n3 4\n"), "not readable"),
    "a zip": (archive, "not readable as a raster"),
    "a web page": (written(b"<!doctype html><title>404</title>"), "not readable as a raster"),
    "a catalogue item": (written(b'{"type": "Feature", "stac_version": "1.0.0"}'), "not readable as a raster"),
    "nothing": (written(b""), "not readable as a raster"),
    "a header alone": (written(b"II*\0\x08\0\0\0"), "not readable as a raster"),
    "a directory that points at itself": (written(b"II*\0\x08\0\0\0\0\0\x08\0\0\0"), "not readable as a raster"),
    "a file cut at a tenth": (part(0.1), "the raster"),
    "a file cut in the middle": (part(0.5), "the raster"),
    "a pointer of Git LFS": (written(b"version https://git-lfs.github.com/spec/v1\n"), "Git LFS pointer"),
    "a folder": (Path.mkdir, "absent"),
    "a pipe": (os.mkfifo, "absent"),
    "an endless device": (lambda path: path.symlink_to("/dev/zero"), "absent"),
    "a link in a circle": (lambda path: path.symlink_to(path.name), "absent"),
    "a giant of 10,000 megapixels": (giant, "more pixels over the site"),
    "a giant of one bit a pixel": (lambda path: giant(path, nbits=1), "more pixels over the site"),
    "a tile of a gigabyte": (lambda path: giant(path, size=40_000, tile=32_784, pixel_m=30.0), "larger than any"),
    "a thousand bands": (lambda path: giant(path, size=160, tile=16, count=1000, pixel_m=30.0), "larger than any"),
}

ROLES = {
    "scene": ("source/2020.tif", None, ""),
    "cloud mask": ("source/cloud.tif", "source/cloud.tif", "ingest.raster.scenes.0.cloud_mask"),
    "DEM": ("source/dem.tif", "source/dem.tif", "ingest.auxiliary"),
}


def in_role(role: str, make: Make) -> Callable[[Path], None]:
    """Put a file in the place of a role, and name it in params.yaml."""
    path, value, parameter = ROLES[role]

    def change(site: Path) -> None:
        (site / path).unlink(missing_ok=True)
        make(site / path)
        if value is not None:
            put({"dem": value} if role == "DEM" else value, parameter)(site)

    return change


ADDRESSES = ["/vsicurl/http://127.0.0.1:9/a.tif", "http://127.0.0.1:9/a.tif", "/vsizip/source/a.zip/a.tif", "/dev/null",
             "/vsimem/x", "/etc/passwd", "GTIFF_DIR:1:source/2020.tif", "zip://source/a.zip!a.tif", "\u0000", "",
             "."]  # fmt: skip

CASES = [
    Case(door="raster", name=f"{role} is {name}", change=in_role(role, make), piece=piece)
    for role in ROLES for name, (make, piece) in UNREADABLE.items()
    if not (role == "scene" and name == "a VRT of the scene of another year")
] + [
    Case(door="raster", name=f"the path {path!r}", change=put(path, "ingest.raster.scenes.0.path"), piece="raster")
    for path in ADDRESSES
]  # fmt: skip
