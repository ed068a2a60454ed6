"""Strips of rows, and the rows of a raster read downwards: what two strips share is decoded once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from stages.common.geo.raster import refuse_unreadable
from stages.common.types import AnyArray, IntArray, UInt16Array

STRIP_ROWS = 512
"""Rows that are worked on at once."""


def strips(height: int, rows: int = STRIP_ROWS) -> Iterator[slice]:
    """Yield consecutive slices of `rows` rows that cover `height`; the last may be shorter."""
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def look_up(values: UInt16Array, rows: IntArray, columns: IntArray) -> UInt16Array:
    """Return ``values[rows, columns]``, all (H, W), strip by strip: NumPy widens indices to 8 bytes each."""
    chosen = np.empty_like(values)
    for strip in strips(len(values)):
        chosen[strip] = values[rows[strip], columns[strip]]
    return chosen


class RowReader:
    """Reads strips of all bands of an open raster and keeps the last one, for strips that overlap."""

    def __init__(self, dataset: DatasetReader, path: Path) -> None:
        self._dataset, self._path = dataset, path
        self._start = 0
        self._rows = np.empty((dataset.count, 0, dataset.width), dtype=dataset.dtypes[0])

    def read(self, start: int, stop: int) -> AnyArray:
        """Return (B, stop - start, W) stored numbers; a view, valid until the next call.

        Raises
        ------
        InputError
            GDAL cannot read them.
        """
        first = start - self._start
        shared = self._rows[:, first : first + stop - start] if first >= 0 else self._rows[:, :0]
        rows = np.empty((len(self._rows), stop - start, self._dataset.width), dtype=self._rows.dtype)
        rows[:, : shared.shape[1]] = shared
        below = start + shared.shape[1]
        if below < stop:
            with refuse_unreadable(self._path):
                rows[:, shared.shape[1] :] = self._dataset.read(
                    window=Window(0, below, self._dataset.width, stop - below)
                )
        self._start, self._rows = start, rows
        return rows
