"""Rasters that are read back once they are written: GDAL does not report every error of a full or a failing disk."""

from __future__ import annotations

import contextlib
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.windows import Window

from stages.common.errors import StorageError
from stages.common.types import AnyArray, Rows

STRIP_ROWS = 512
"""Rows that are compared at once: those of a block."""


class CheckedRaster:
    """A raster open for writing that notes a checksum of all that it is given."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._sums: list[tuple[int | None, Window | None, int]] = []

    def write(self, pixels: AnyArray, band: int | None = None, *, window: Window | None = None) -> None:
        """Write (H, W) into a band, or (B, H, W) into all of them; windows of a band must not overlap."""
        self.dataset.write(pixels, band, window=window)
        self._sums.append((band, window, _checksum(pixels, self.dataset.dtypes[0])))

    def write_by_rows(self, pixels: AnyArray | Rows, band: int | None = None) -> None:
        """Write the same strip by strip, True as 1."""
        height, width = self.dataset.shape
        for top in range(0, height, STRIP_ROWS):
            bottom = min(top + STRIP_ROWS, height)
            part = pixels[top:bottom] if band else np.asarray(pixels)[:, top:bottom]
            self.write(
                part.astype(self.dataset.dtypes[0], copy=False), band, window=Window(0, top, width, bottom - top)
            )

    def reads_back(self, path: Path) -> bool:
        """Whether the file, once closed, holds all that was written."""
        with rasterio.open(path, driver="GTiff") as stored:
            return all(
                _checksum(stored.read(band, window=window), stored.dtypes[0]) == checksum
                for band, window, checksum in self._sums
            )


@contextlib.contextmanager
def checked_raster(path: Path, layout: dict[str, Any]) -> Iterator[CheckedRaster]:
    """Open a GeoTIFF for writing; at the end it is closed and read back.

    Parameters
    ----------
    layout
        Profile of the file, as rasterio takes it.

    Raises
    ------
    StorageError
        The file does not hold what was written; the disk may be full.
    """
    with refuse_unwritten(path):
        with rasterio.open(path, "w", **layout) as dataset:
            out = CheckedRaster(dataset)
            yield out
        if not out.reads_back(path):
            raise unwritten(path, "other pixels than were written")


def require_copy(source: Path, copy: Path) -> None:
    """Compare a copy of a raster with its source block by block, and read its overviews.

    Raises
    ------
    StorageError
        A pixel differs.
    RasterioError, CPLE_BaseError
        A block cannot be read.
    """
    with rasterio.open(source, driver="GTiff") as first, rasterio.open(copy, driver="GTiff") as second:
        levels = len(second.overviews(1))
        for row in range(0, first.height, STRIP_ROWS):
            strip = Window(0, row, first.width, min(STRIP_ROWS, first.height - row))
            for band in first.indexes:  # all bands of a block lie in GDAL's cache once it is read
                if first.read(band, window=strip).tobytes() != second.read(band, window=strip).tobytes():
                    raise unwritten(copy, f"other pixels than were written, from row {row} on")
    for level in range(levels):
        with rasterio.open(copy, driver="GTiff", overview_level=level) as overview:
            for row in range(0, overview.height, STRIP_ROWS):
                overview.read(window=Window(0, row, overview.width, min(STRIP_ROWS, overview.height - row)))


@contextlib.contextmanager
def refuse_unwritten(path: Path) -> Iterator[None]:
    """Turn the error of GDAL on writing a raster or a GeoPackage, or on reading it back, into a `StorageError`."""
    try:
        yield
    except (RasterioError, CPLE_BaseError, RuntimeError) as error:  # RuntimeError: the base class of pyogrio's errors
        raise unwritten(path, " ".join(str(error.__cause__ or error).split())[:200]) from error


def unwritten(path: Path, actual: str) -> StorageError:
    """Return the error that a file does not read back as it was written."""
    return StorageError(
        "a file cannot be written",
        where=path.absolute(),
        expected="a file that reads back as it was written",
        found=f"{actual}; {shutil.disk_usage(path.parent).free // 1000} kB of the disk are free",
        fix="free some disk space, or check the disk (`df -h`, `dmesg`), and run it again: nothing was changed",
    )


def _checksum(pixels: AnyArray, dtype: str) -> int:
    return zlib.crc32(np.ascontiguousarray(pixels, dtype=dtype).data)
