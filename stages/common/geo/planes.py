"""Planes of a whole scene in little memory, read by strips: masks as bits, numbers in a file or made when read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from stages.common.geo.raster import open_raster, refuse_unreadable
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, BoolArray, Rows

Shape = tuple[int, int]
Place = slice | tuple[slice, slice]
"""Rows, or rows and columns."""


@dataclass(frozen=True)
class ByRows:
    """A (H, W) raster that is held nowhere: its rows are made each time they are asked for."""

    shape: Shape
    dtype: np.dtype[Any]
    make: Callable[[slice], AnyArray]
    """Function from rows, start and stop given, to their (h, W) pixels."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> AnyArray:
        """Return (h, W)."""
        first, stop, _ = rows.indices(self.shape[0])
        return self.make(slice(first, max(first, stop)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self[:], dtype=dtype)


class Bits:
    """A (H, W) mask in an eighth of the memory of one of bool."""

    dtype = np.dtype(bool)

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._bytes = np.zeros((shape[0], -(-shape[1] // 8)), dtype=np.uint8)

    @classmethod
    def of(cls, mask: Rows) -> Bits:
        """Return the bits of a mask."""
        return cls.by_rows((mask.shape[0], mask.shape[1]), lambda rows: mask[rows])

    @classmethod
    def by_rows(cls, shape: Shape, strip: Callable[[slice], BoolArray]) -> Bits:
        """Return the mask whose rows `strip` returns, (h, W) bool."""
        bits = cls(shape)
        for rows in strips(shape[0]):
            bits[rows] = strip(rows)
        return bits

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: Place) -> BoolArray:
        """Return (h, w) bool, a copy."""
        rows, columns = place if isinstance(place, tuple) else (place, slice(None))
        first, stop, _ = columns.indices(self.shape[1])
        packed, skipped = self._bytes[rows, first // 8 : -(-stop // 8)], first % 8
        unpacked: BoolArray = np.unpackbits(packed, axis=1, count=skipped + max(stop - first, 0)).view(bool)
        return unpacked[:, skipped:]

    def __setitem__(self, place: Place, values: BoolArray) -> None:
        rows, columns = place if isinstance(place, tuple) else (place, slice(None))
        if isinstance(place, tuple):
            whole = self[rows]
            whole[:, columns] = values
            values = whole
        packed = self._bytes[rows]
        if values.shape != (len(packed), self.shape[1]):  # the bytes may be as many, or be repeated
            raise ValueError(f"{values.shape} pixels for {(len(packed), self.shape[1])} of a mask")
        packed[:] = np.packbits(values, axis=1)

    def at(self, rows: AnyArray, columns: AnyArray) -> BoolArray:
        """Return (N,) bool of the pixels at (N,) rows and (N,) columns."""
        return np.asarray(self._bytes[rows, columns >> 3] >> (7 - (columns & 7)) & 1, dtype=bool)

    def __and__(self, other: Bits) -> Bits:
        return self._like(self._bytes & self._beside(other))

    def __or__(self, other: Bits) -> Bits:
        return self._like(self._bytes | self._beside(other))

    def __invert__(self) -> Bits:
        result = self._like(~self._bytes)
        if beyond := -self.shape[1] % 8:  # bits of the last byte that stand for no pixel
            result._bytes[:, -1] &= np.uint8(0xFF << beyond & 0xFF)
        return result

    def _beside(self, other: Bits) -> AnyArray:
        """Return the bytes of a mask of the same shape."""
        if other.shape != self.shape:
            raise ValueError(f"masks of {self.shape} and {other.shape} pixels")
        return other._bytes

    def _like(self, packed: AnyArray) -> Bits:
        bits = Bits.__new__(Bits)
        bits.shape, bits._bytes = self.shape, packed
        return bits

    def any(self) -> bool:
        """Whether there is a True pixel."""
        return bool(self._bytes.any())

    def sum(self) -> int:
        """Return the number of True pixels."""
        return int(np.bitwise_count(self._bytes).sum(dtype=np.int64))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self[:], dtype=dtype)


class Plane:
    """A (H, W) array of numbers in a file without a name, which goes with it; at first all are 0.

    `folder` is that of the file; None: that of the system's temporary files.
    """

    def __init__(self, folder: Path | None, shape: Shape, dtype: type[np.generic]) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (it is closed when the plane goes)
        self._file.truncate(shape[0] * self._row_bytes)

    @classmethod
    def of(cls, folder: Path | None, values: Rows) -> Plane:
        """Return a plane of (H, W) values."""
        plane = cls(folder, (values.shape[0], values.shape[1]), values.dtype.type)
        for rows in strips(values.shape[0]):
            plane[rows] = values[rows]
        return plane

    @classmethod
    def of_band(cls, folder: Path | None, path: Path, band: int = 1) -> Plane:
        """Return a band of a raster, counted from 1, read strip by strip.

        Raises
        ------
        InputError
            As `open_raster`; or the file is cut short.
        """
        with open_raster(path) as dataset, refuse_unreadable(path):
            plane = cls(folder, dataset.shape, np.dtype(dataset.dtypes[band - 1]).type)
            for rows in strips(dataset.height):
                plane[rows] = dataset.read(band, window=Window(0, rows.start, dataset.width, rows.stop - rows.start))
        return plane

    def __del__(self) -> None:
        self._file.close()

    @property
    def _row_bytes(self) -> int:
        return self.shape[1] * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: Place) -> AnyArray:
        """Return (h, w), a copy."""
        rows, columns = place if isinstance(place, tuple) else (place, slice(None))
        first, stop, _ = rows.indices(self.shape[0])
        part = np.empty((max(stop - first, 0), self.shape[1]), dtype=self.dtype)
        self._file.seek(first * self._row_bytes)
        self._file.readinto(part.data.cast("B") if part.size else bytearray())
        return part[:, columns]

    def __setitem__(self, place: Place, values: AnyArray) -> None:
        rows, columns = place if isinstance(place, tuple) else (place, slice(None))
        first, stop, _ = rows.indices(self.shape[0])
        whole = self[rows] if isinstance(place, tuple) else np.empty((stop - first, self.shape[1]), dtype=self.dtype)
        whole[:, columns] = values
        self._file.seek(first * self._row_bytes)
        self._file.write(whole.data)

    def at(self, rows: AnyArray, columns: AnyArray) -> AnyArray:
        """Return (N,) values of the pixels at (N,) rows and (N,) columns."""
        values = np.empty(len(rows), dtype=self.dtype)
        for strip in strips(len(self)):
            here = np.flatnonzero((rows >= strip.start) & (rows < strip.stop))
            if len(here):
                values[here] = self[strip][rows[here] - strip.start, columns[here]]
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self[:], dtype=dtype)
