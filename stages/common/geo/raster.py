"""Reading and writing rasters. All outputs are Cloud Optimized GeoTIFFs; the same pixels give the same bytes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from stages.common.errors import InputError
from stages.common.files import require_file
from stages.common.geo.classes import Classes, write_classes
from stages.common.geo.grid import Grid
from stages.common.geo.readback import checked_raster, refuse_unwritten, require_copy
from stages.common.types import AnyArray, BoolArray, Rows

COG_OPTIONS = {
    "driver": "COG",
    "compress": "ZSTD",  # as small as deflate here, and quicker to read
    "predictor": "YES",
    "blocksize": 512,
    "bigtiff": "IF_SAFER",
    "num_threads": "ALL_CPUS",  # the bytes do not depend on it
}

COG_LEVEL = 9
"""Effort of the compression where no other is asked for."""

GRID_PIXELS_MAX = 1e9
"""Largest accepted grid, ten times a whole Sentinel-2 tile at 10 m: beyond it CRS or pixel size is a mistake."""

LAYER_PIXELS_MAX = 5e8
"""Most pixels that are read of one layer at once: four whole Sentinel-2 tiles at 10 m, 2 GB of float32."""

BANDS_MAX = 512
"""Most bands of a raster: imaging spectrometers have fewer."""

TILE_BYTES_MAX = 2**30
"""Largest tile or strip, which GDAL unpacks as a whole: a Sentinel-2 band in one piece has a quarter of that."""

GDAL_CACHE_BYTES = 128 * 2**20
"""Size of GDAL's block cache. By default it is 5 % of the machine's memory, but whole scenes are read only once.

It is in bytes: rasterio passes an integer on as it is, while GDAL itself reads small numbers as megabytes.
"""


@contextlib.contextmanager
def gdal_env() -> Iterator[None]:
    """Set up GDAL with a small block cache, and let it neither write nor look for side-car files."""
    with rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_BYTES, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_PAM_ENABLED="NO"):
        yield


def open_raster(path: Path, *, pixels_max: float = GRID_PIXELS_MAX) -> DatasetReader:
    """Open a raster; the error says what is there instead of one.

    Parameters
    ----------
    pixels_max
        Largest number of pixels of a band; the default is for rasters that are read as a whole.

    Raises
    ------
    InputError
        The file is absent, empty, a Git LFS pointer, not readable as a raster, or larger than any grid may be.
    """
    require_file(path, what="raster", expected="a GeoTIFF", fix="check the path; run `dvc pull` for tracked data")
    with refuse_unreadable(path):
        dataset = open_by_driver(path)
    try:
        require_size(dataset, path, pixels_max=pixels_max)
    except InputError:
        dataset.close()
        raise
    return dataset


def open_by_driver(name: Path | str) -> DatasetReader:
    """Open a raster as JPEG 2000 where its name ends so, else as a GeoTIFF, and as nothing else.

    GDAL would look into the file, and find a list of other files and addresses to read (a VRT, a WMS) in any of them.

    Raises
    ------
    rasterio.errors.RasterioIOError
        The raster cannot be opened as such.
    """
    ending = str(name).partition("?")[0].lower()  # a token may follow the name of a file on a server
    return rasterio.open(name, driver="JP2OpenJPEG" if ending.endswith((".jp2", ".j2k")) else "GTiff")


def require_size(dataset: DatasetReader, where: object, *, pixels_max: float) -> None:
    """Refuse a raster that would take the machine's memory: too many pixels or bands, or tiles of gigabytes.

    Raises
    ------
    InputError
        The header states such a size; no pixel has been read.
    """
    height, width = map(max, zip(*dataset.block_shapes, strict=True))
    tile_bytes = height * width * max(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
    for expected, actual, most in (
        ("pixels a band", dataset.width * dataset.height, pixels_max),
        ("bands", dataset.count, BANDS_MAX),
        ("bytes a tile", tile_bytes, TILE_BYTES_MAX),
    ):
        if actual > most:
            raise InputError(
                "the raster is larger than any that is read",
                where=where,
                expected=f"at most {most:g} {expected}",
                found=f"{actual:g} {expected}: {dataset.width} x {dataset.height} px, tiles of {width} x {height} px",
                fix="cut it to the site and tile it: `gdal_translate -projwin <left> <top> <right> <bottom> "
                "-co TILED=YES <file> <new file>`",
            )


@contextlib.contextmanager
def refuse_unreadable(path: Path) -> Iterator[None]:
    """Turn GDAL's error on opening or reading a raster into an `InputError`."""
    try:
        yield
    except rasterio.errors.RasterioIOError as error:
        raise InputError(
            "the file is not readable as a raster",
            where=path,
            expected="a GeoTIFF",
            found=f"{path.stat().st_size} bytes: {' '.join(str(error).split())}",
            fix=_fix_of_unreadable(path),
        ) from error


def _fix_of_unreadable(path: Path) -> str:
    with path.open("rb") as stream:
        is_vrt = b"<VRTDataset" in stream.read(1000)
    if is_vrt:
        return f"it is a VRT, a list of other files: make one file of it, `gdal_translate {path.name} {path.stem}.tif`"
    return "copy or download it again"


def require_whole(dataset: DatasetReader, path: Path) -> None:
    """Refuse a GeoTIFF whose last tile lies beyond the end of its file; no pixel is read.

    Raises
    ------
    InputError
        The file is cut short.
    """
    size, end = path.stat().st_size, max(_tile_ends(dataset), default=0)
    if end > size:
        raise InputError(
            "the raster is cut short",
            where=path,
            expected=f"at least {end} bytes, as its header says",
            found=f"{size} bytes",
            fix="copy or download it again, or run the stage that makes it again",
        )


def _tile_ends(dataset: DatasetReader) -> Iterator[int]:
    """Yield where each tile of full resolution ends in the file, in bytes; a tile without data is left out."""
    interleaved = dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"
    for band in dataset.indexes[:1] if interleaved else dataset.indexes:
        height, width = dataset.block_shapes[band - 1]
        for row, column in np.ndindex(math.ceil(dataset.height / height), math.ceil(dataset.width / width)):
            offset, size = (
                dataset.get_tag_item(f"BLOCK_{entry}_{column}_{row}", "TIFF", bidx=band) for entry in ("OFFSET", "SIZE")
            )
            if offset and size:
                yield int(offset) + int(size)


def grid_of(dataset: DatasetReader) -> Grid:
    """Return the grid of an open raster."""
    epsg = dataset.crs.to_epsg() if dataset.crs else None
    name = f"EPSG:{epsg}" if epsg else str(dataset.crs)
    return Grid(crs=name, transform=dataset.transform, height=dataset.height, width=dataset.width)


def read_grid(path: Path) -> Grid:
    """Return the grid of a raster file."""
    with open_raster(path) as dataset:
        return grid_of(dataset)


def read_band(path: Path, band: int = 1) -> AnyArray:
    """Return one band of a raster as (H, W), in the file's dtype.

    Raises
    ------
    InputError
        As `open_raster`; or the file is cut short.
    """
    with open_raster(path) as dataset, refuse_unreadable(path):
        return np.asarray(dataset.read(band))


def pixels_with_data(dn: AnyArray, nodata: float | None) -> BoolArray:
    """Return (H, W) bool: pixels that are neither nodata nor NaN, tested before any offset is applied."""
    mask = np.ones(dn.shape, dtype=bool) if nodata is None or math.isnan(nodata) else np.asarray(dn != nodata)
    return mask & np.isfinite(dn) if np.issubdtype(dn.dtype, np.floating) else mask


def profile(grid: Grid, *, count: int, dtype: str, nodata: float | None) -> dict[str, Any]:
    """Return the profile of a tiled, uncompressed GeoTIFF on `grid`, which is written before it becomes a COG."""
    return {
        "driver": "GTiff",
        "crs": grid.crs,
        "transform": grid.transform,
        "width": grid.width,
        "height": grid.height,
        "count": count,
        "dtype": dtype,
        "nodata": nodata,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "bigtiff": "IF_SAFER",
    }


def write_cog(
    path: Path,
    pixels: AnyArray | Rows,
    grid: Grid,
    *,
    nodata: float | None,
    bands: Sequence[str] = (),
    scale: float = 1.0,
    offset: float = 0.0,
    classes: Classes | None = None,
) -> None:
    """Write (H, W) or (B, H, W) `pixels` as a COG, strip by strip; a mask as 0 and 1.

    `scale` and `offset` are stored as GDAL defines them: value = DN x scale + offset. Continuous data (more than one
    band, or scaled) get averaged overviews, all other data nearest ones. `classes` colours and names the values of a
    single band of uint8.
    """
    count = pixels.shape[0] if len(pixels.shape) == 3 else 1
    dtype = "uint8" if pixels.dtype == bool else str(pixels.dtype)
    plain = path.with_suffix(".plain.tif")
    with checked_raster(plain, profile(grid, count=count, dtype=dtype, nodata=nodata)) as out:
        if classes:
            write_classes(out.dataset, classes)
        out.write_by_rows(pixels, None if len(pixels.shape) == 3 else 1)
        if (scale, offset) != (1.0, 0.0):
            out.dataset.scales, out.dataset.offsets = [scale] * count, [offset] * count
        for index, name in enumerate(bands, start=1):
            out.dataset.set_band_description(index, name)
    finish_cog(plain, path, continuous=count > 1 or scale != 1.0)


def finish_cog(plain: Path, path: Path, *, continuous: bool, level: int = COG_LEVEL) -> None:
    """Turn a plain GeoTIFF into the COG `path`, read that back, and remove the plain one.

    Parameters
    ----------
    continuous
        Whether overviews are averages; else they are nearest pixels.
    level
        Effort of the compression, 1-22.

    Raises
    ------
    StorageError
        The COG does not hold the plain file's pixels; the disk may be full.
    """
    resampling = Resampling.average if continuous else Resampling.nearest
    with refuse_unwritten(path):
        rasterio.shutil.copy(plain, path, overview_resampling=resampling.name, level=level, **COG_OPTIONS)
        require_copy(plain, path)
    plain.unlink()
