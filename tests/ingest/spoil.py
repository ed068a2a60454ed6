"""Ways to spoil a site: each takes its folder and its parameters and changes one thing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning
from shapely.geometry import LineString, MultiLineString, Point, Polygon, box

from sandbox import tiny

Params = dict[str, Any]
Spoiler = Callable[[Path, Params], None]

SIDE_M = tiny.SIZE_PX * tiny.PIXEL_M
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


def scenes(params: Params) -> list[dict[str, Any]]:
    return params["ingest"]["raster"]["scenes"]


def file(name: str, content: bytes | None) -> Spoiler:
    """Replace a source file, or remove it."""

    def spoil(site: Path, params: Params) -> None:
        path = site / "source" / name
        path.unlink() if content is None else path.write_bytes(content)

    return spoil


def truncated(site: Path, params: Params) -> None:
    path = site / "source/2020.tif"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with rasterio.open(path) as dataset:  # it opens without complaint: only reading shows what is wrong
        assert dataset.count == 3


def rewrite(pixels: np.ndarray | None = None, mask: np.ndarray | None = None, **changes: Any) -> Spoiler:
    """Write 2020.tif again with another profile, other pixels, or a mask of its own."""

    def spoil(site: Path, params: Params) -> None:
        path = site / "source/2020.tif"
        with rasterio.open(path) as dataset:
            stored, profile = dataset.read(), dataset.profile
        values = stored if pixels is None else pixels
        profile |= {"dtype": values.dtype, "count": len(values)} | changes
        path.unlink()
        with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, "w", **profile) as out:
                out.write(values)
                if mask is not None:
                    out.write_mask(mask)

    return spoil


def described(names: list[str]) -> Spoiler:
    def spoil(site: Path, params: Params) -> None:
        with rasterio.open(site / "source/2020.tif", "r+") as dataset:
            dataset.descriptions = names

    return spoil


def setting(value: Any, *keys: str | int) -> Spoiler:
    """Set one parameter."""

    def spoil(site: Path, params: Params) -> None:
        target: Any = params
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return spoil


def scene(**changes: Any) -> Spoiler:
    """Change the parameters of the first scene."""
    return lambda site, params: scenes(params)[0].update(changes)


def second_tile(
    *, shift_px: int = 0, date: str = "2020-10-15", pixels: np.ndarray | None = None, **changes: Any
) -> Spoiler:
    """Add a second raster for 2020, `shift_px` to the east."""

    def spoil(site: Path, params: Params) -> None:
        values = tiny.scene(2020) if pixels is None else pixels
        tiny.write_scene(site / "source/tile.tif", values, left=tiny.LEFT + shift_px * tiny.PIXEL_M)
        scenes(params).append({"path": "source/tile.tif", "date": date, "bands": tiny.BANDS} | changes)
        params["ingest"]["aoi"]["bounds"] = [tiny.LEFT, tiny.TOP - SIDE_M, tiny.LEFT + 1.5 * SIDE_M, tiny.TOP]

    return spoil


def outlines(
    shapes: list[Any] | None = None, *, columns: dict[str, list[Any]] | None = None, crs: str | None = tiny.CRS
) -> Spoiler:
    """Write outlines again with other shapes, columns or CRS."""
    shapes = tiny.outlines() if shapes is None else shapes

    def spoil(site: Path, params: Params) -> None:
        content = {"RGIId": [f"RGI60-15.{n:05d}" for n in range(len(shapes))]} if columns is None else columns
        frame = geopandas.GeoDataFrame(content, geometry=shapes, crs=crs)
        path = site / "source/outlines.gpkg"
        path.unlink()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # geopandas warns of a missing CRS
            frame.to_file(path)

    return spoil


def latin_1_outlines(site: Path, params: Params) -> None:
    """Write a Shapefile in Latin-1 that says it is UTF-8, as some GIS programs do."""
    outlines = geopandas.read_file(site / "source/outlines.gpkg").assign(Name="Hélan")
    outlines.to_file(site / "source/outlines.shp", encoding="ISO-8859-1")
    (site / "source/outlines.cpg").write_text("UTF-8")
    params["ingest"]["outlines"]["path"] = "source/outlines.shp"


def empty_outlines(site: Path, params: Params) -> None:
    path = site / "source/outlines.gpkg"
    frame = geopandas.read_file(path)
    path.unlink()
    frame.iloc[:0].to_file(path)


def aoi_file(shapes: list[Any], *, crs: str | None = tiny.CRS) -> Spoiler:
    """Give the AOI as a file."""

    def spoil(site: Path, params: Params) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            geopandas.GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=crs).to_file(
                site / "source/aoi.gpkg"
            )
        params["ingest"]["aoi"] = {"path": "source/aoi.gpkg"}

    return spoil


def cloud_mask(*, left: float = tiny.LEFT, crs: str | None = tiny.CRS) -> Spoiler:
    def spoil(site: Path, params: Params) -> None:
        tiny.write_scene(site / "source/cloud.tif", np.ones((1, 160, 160), "uint8"), left=left, crs=crs)
        scenes(params)[0]["cloud_mask"] = "source/cloud.tif"

    return spoil


def quality(*values: int, dtype: str = "uint8") -> Spoiler:
    """Give a band of these values, in stripes, as the cloud mask."""

    def spoil(site: Path, params: Params) -> None:
        stripes = np.resize(np.asarray(values, dtype), (1, 160, 160))
        tiny.write_scene(site / "source/quality.tif", stripes)
        scenes(params)[0]["cloud_mask"] = "source/quality.tif"

    return spoil


def bands(names: list[str]) -> Spoiler:
    """Name the bands of both scenes so, and take them as reflectance."""

    def spoil(site: Path, params: Params) -> None:
        for listed in scenes(params):
            listed["bands"] = names
        params["prepare"] = {"bands": names, "storage": "sentinel2"}
        params["report"]["rgb"] = names

    return spoil


def reflectance(*, black: int, dtype: str = "float32") -> Spoiler:
    """Write both years as reflectance; the first `black` columns of 2020 are 0 in every band."""

    def spoil(site: Path, params: Params) -> None:
        for year, columns in ((2020, black), (2021, 0)):
            values = (tiny.scene(year).astype(dtype) + 1) / 400
            values[:, :, :columns] = 0
            tiny.write_scene(site / f"source/{year}.tif", values)

    return spoil


def dem(void: float) -> Spoiler:
    """Give a DEM of 5000 m in which a tenth is `void`, which the file does not state."""

    def spoil(site: Path, params: Params) -> None:
        pixels = np.full((1, 160, 160), 5000, "float32")
        pixels[0, :16] = void
        tiny.write_scene(site / "source/dem.tif", pixels)
        params["ingest"]["auxiliary"] = {"dem": "source/dem.tif"}

    return spoil


def levels(first: str, second: str) -> Spoiler:
    def spoil(site: Path, params: Params) -> None:
        scenes(params)[0]["processing_level"] = first
        scenes(params)[1]["processing_level"] = second

    return spoil


def outlines_beside_the_scenes(site: Path, params: Params) -> None:
    """The AOI reaches further than the scenes, and the outlines lie there."""
    params["ingest"]["aoi"]["bounds"] = [tiny.LEFT, tiny.TOP - SIDE_M, tiny.LEFT + 3 * SIDE_M, tiny.TOP]
    outlines([tiny.ellipse(center=(2.5 * SIDE_M, 0.5 * SIDE_M), radii=(500, 500))])(site, params)


def both(*spoilers: Spoiler) -> Spoiler:
    def spoil(site: Path, params: Params) -> None:
        for spoiler in spoilers:
            spoiler(site, params)

    return spoil


def _at(x: float, y: float) -> tuple[float, float]:
    return tiny.LEFT + x, tiny.TOP - y


BOW_TIE = Polygon([_at(1000, 1000), _at(3000, 3000), _at(3000, 1000), _at(1000, 3000)])
SELF_TOUCHING = Polygon(
    [_at(1000, 1000), _at(3000, 1000), _at(2000, 2000), _at(3000, 3000), _at(1000, 3000), _at(2000, 2000)]
)
LINE = LineString([_at(0, 0), _at(3000, 3000)])
DRAWN_OVER = [
    box(*_at(1000, 2000), *_at(3000, 1000)), box(*_at(1000, 2000), *_at(2000, 1000)),
    box(*_at(2000, 2000), *_at(3000, 1000)),
]  # fmt: skip
"""A glacier, and two neighbours drawn over each half of it."""
GAP = MultiLineString([[_at(0, 0), _at(1000, 1000)], [_at(1100, 1100), _at(3000, 3000)]])
POINT = Point(_at(500, 500))
FAR = tiny.ellipse(center=(90_000, 90_000), radii=(500, 500))
ROTATED = Affine(tiny.PIXEL_M, 5, tiny.LEFT, 5, -tiny.PIXEL_M, tiny.TOP)
SOUTH_UP = Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, tiny.PIXEL_M, tiny.TOP - SIDE_M)
NAN = np.full((3, 160, 160), np.nan, "float32")


def flow_lines(shapes: list[Any] | None, *, ids: list[str] | None = None) -> Spoiler:
    """Flow lines of these shapes; None: the file is absent."""

    def spoil(site: Path, params: Params) -> None:
        if shapes is not None:
            names = ids or [str(index) for index in range(len(shapes))]
            geopandas.GeoDataFrame({"rgi_id": names}, geometry=shapes, crs=tiny.CRS).to_file(site / "lines.gpkg")
        params["ingest"]["auxiliary"] = {"flow_lines": {"path": "lines.gpkg"}}

    return spoil
