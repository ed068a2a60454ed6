"""Rows that wait between two blocks of a graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.types import AnyArray


class RowStore:
    """The rows of a value that have been made and are still needed, in the bands in which they were made.

    Nothing is copied: a band is kept as it is until nobody needs a row of it.
    """

    def __init__(self, axis: int, total: int) -> None:
        self.axis, self.total = axis, total
        self.stop = 0
        """Rows that there have been so far."""
        self.needed: dict[int, int] = {}
        """The first row that each user still needs."""
        self._bands: list[tuple[int, AnyArray]] = []
        """Bands and the first row of each."""

    def put(self, band: AnyArray) -> None:
        """Add the next rows; nobody may change them any more."""
        self._bands.append((self.stop, band))
        self.stop += band.shape[self.axis]

    def rows(self, first: int, stop: int) -> list[AnyArray]:
        """Return rows first to stop as views, one for each band that has some of them."""
        parts = []
        for start, band in self._bands:
            inner = slice(max(first - start, 0), min(stop - start, band.shape[self.axis]))
            if inner.start < inner.stop:
                parts.append(band[(slice(None),) * self.axis + (inner,)])
        return parts

    def need_from(self, user: int, row: int) -> None:
        """Note that a user needs no row before `row` any more, and let go of the bands that nobody needs."""
        self.needed[user] = row
        least = min(self.needed.values())
        self._bands = [(start, band) for start, band in self._bands if start + band.shape[self.axis] > least]


def joined(parts: Sequence[AnyArray], axis: int) -> AnyArray:
    """Return the parts as one array, contiguous in memory: a copy, where a single part is not so by itself."""
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=axis)
    return np.ascontiguousarray(whole)  # of parts with another order of axes, numpy makes one that has that order too
