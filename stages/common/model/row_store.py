"""Rows that wait between two blocks of a graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.types import AnyArray


class RowStore:
    """The rows of a value that have been made and are still needed, in a ring of memory that is used again."""

    def __init__(self, axis: int, total: int) -> None:
        self.axis, self.total = axis, total
        self.stop = 0
        """Rows that there have been so far."""
        self.readers: dict[int, int] = {}
        """The first row that each user still needs."""
        self._ring: AnyArray | None = None
        """Row r stands at place r modulo its length along `axis`."""

    def put(self, band: AnyArray) -> None:
        """Copy the next rows into the ring; they count once they are added to `stop`. For one thread at a time."""
        needed = min(self.readers.values(), default=self.stop)
        end = self.stop + band.shape[self.axis]
        if self._ring is None or end - needed > self._ring.shape[self.axis]:
            shape = [*band.shape[: self.axis], end - needed, *band.shape[self.axis + 1 :]]
            larger, row = np.empty(shape, band.dtype), needed
            for part in self.rows(needed, self.stop):
                self._write(larger, row, part)
                row += part.shape[self.axis]
            self._ring = larger  # only now: others read meanwhile
        self._write(self._ring, self.stop, band)

    def rows(self, first: int, stop: int) -> list[AnyArray]:
        """Return rows first to stop as views, one or two; they stay what they are while somebody needs them."""
        return [] if self._ring is None else self._places(self._ring, first, stop)

    def _places(self, ring: AnyArray, first: int, stop: int) -> list[AnyArray]:
        if first == stop:
            return []
        length = ring.shape[self.axis]
        place, end = first % length, (stop - 1) % length + 1
        slices = [slice(place, end)] if place < end else [slice(place, length), slice(0, end)]
        return [ring[(slice(None),) * self.axis + (part,)] for part in slices]

    def _write(self, ring: AnyArray, first: int, band: AnyArray) -> None:
        row = 0
        for place in self._places(ring, first, first + band.shape[self.axis]):
            count = place.shape[self.axis]
            place[...] = band[(slice(None),) * self.axis + (slice(row, row + count),)]
            row += count


def joined(parts: Sequence[AnyArray], axis: int) -> AnyArray:
    """Return a copy of the parts as one array, contiguous in memory."""
    return parts[0].copy() if len(parts) == 1 else np.concatenate(parts, axis=axis)
