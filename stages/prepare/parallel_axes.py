"""Resampling between two grids of one CRS whose axes are parallel: every row has the same columns to look at.

That holds for a shift by part of a pixel and for bands of 20 m on a grid of 10 m. Each axis is interpolated on its own,
in NumPy, several times faster than GDAL's warper, which transforms each pixel by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, BoolArray, Float32Array, IntArray, Rows

TOLERANCE_PX = 1e-6
"""A centre so close before the edge of a source pixel lies in it: coordinates in metres are no closer."""

STRIP_ROWS = 64
"""Rows that are interpolated at once: they stay in the processor's cache."""


@dataclass(frozen=True)
class Axis:
    """Where the pixels of one axis of the target lie on the same axis of the source."""

    inside: slice
    """Pixels of the target, N in a row, whose centres lie on the source."""
    nearest: IntArray
    """(N,) source pixel in which the centre lies."""
    before: IntArray
    """(N,) source pixel whose centre is the next before it; at the edge the first or last one, as for `after`."""
    after: IntArray
    """(N,) source pixel whose centre is the next after it."""
    fraction: Float32Array
    """(N,) way from the one to the other, 0-1."""

    def within(self, part: slice) -> Axis:
        """Return the axis of a part of the target's pixels, start and stop given."""
        first, stop = (min(max(end, part.start), part.stop) for end in (self.inside.start, self.inside.stop))
        some = slice(first - self.inside.start, stop - self.inside.start)
        return Axis(
            inside=slice(first - part.start, stop - part.start),
            nearest=self.nearest[some],
            before=self.before[some],
            after=self.after[some],
            fraction=self.fraction[some],
        )


@dataclass(frozen=True)
class Axes:
    """Where the rows and columns of a target lie on a source."""

    rows: Axis
    columns: Axis

    def within(self, rows: slice) -> Axes:
        """Return the axes of some of the target's rows, start and stop given."""
        return Axes(rows=self.rows.within(rows), columns=self.columns)


def axes_between(source: Grid, target: Grid) -> Axes | None:
    """Return where `target` lies on `source`, of the same CRS; None where it is turned or its pixels are larger.

    Larger pixels are means of several, which takes another kernel.
    """
    a, b = source.transform, target.transform
    if a.b or a.d or b.b or b.d or min(a.a / b.a, a.e / b.e) < 1 - TOLERANCE_PX:
        return None
    return Axes(
        rows=_axis((b.f - a.f) / a.e, b.e / a.e, source.height, target.height),
        columns=_axis((b.c - a.c) / a.a, b.a / a.a, source.width, target.width),
    )


def _axis(start: float, step: float, source_length: int, target_length: int) -> Axis:
    """Return an axis whose target begins at `start` of the source, its pixels `step` wide, in source pixels."""
    centres = start + step * (np.arange(target_length) + 0.5)
    nearest = np.floor(centres + TOLERANCE_PX).astype(np.intp)
    first, last = np.searchsorted(nearest, [0, source_length])
    inside = slice(int(first), int(last))
    before = np.floor(centres[inside] - 0.5).astype(np.intp)
    return Axis(
        inside=inside,
        nearest=nearest[inside],
        before=np.maximum(before, 0),
        after=np.minimum(before + 1, source_length - 1),
        fraction=(centres[inside] - 0.5 - before).astype(np.float32),
    )


def nearest(pixels: Rows, axes: Axes, result: AnyArray) -> None:
    """Write the value that each pixel's centre lies in into `result` (H, W); beyond `pixels` it keeps what it holds."""
    rows, columns = axes.rows, axes.columns
    if len(rows.nearest):
        top = int(rows.nearest[0])
        block = pixels[top : int(rows.nearest[-1]) + 1]
        result[rows.inside, columns.inside] = block.take(rows.nearest - top, axis=0).take(columns.nearest, axis=1)


def bilinear(values: Rows, axes: Axes, result: Float32Array) -> None:
    """Write values interpolated among the known ones of the four around each centre into `result` (H, W).

    A pixel stays NaN whose nearest value is NaN. Beyond `values` the result keeps what it holds.
    """
    rows, columns = axes.rows, axes.columns
    inside = result[rows.inside, columns.inside]
    for strip in strips(len(inside), STRIP_ROWS):
        top = int(rows.before[strip][0])
        block = values[top : int(rows.after[strip][-1]) + 1]
        has_value = ~np.isnan(block)
        part = Axis(strip, rows.nearest[strip] - top, rows.before[strip] - top, rows.after[strip] - top,
                    rows.fraction[strip])  # fmt: skip
        inside[strip] = _among_known(block, has_value, Axes(part, columns))


def _among_known(block: Float32Array, has_value: BoolArray, axes: Axes) -> Float32Array:
    if has_value.all():
        return _between(block, axes)
    weighted = _between(np.where(has_value, block, np.float32(0)), axes)
    weight = _between(has_value.astype(np.float32), axes)
    has_nearest = has_value.take(axes.rows.nearest, axis=0).take(axes.columns.nearest, axis=1)
    return np.where(has_nearest, weighted / np.where(has_nearest, weight, np.float32(1)), np.float32(np.nan))


def _between(block: Float32Array, axes: Axes) -> Float32Array:
    """Return the block (rows of the source, W of the source) interpolated, first across, then down."""
    rows, columns = axes.rows, axes.columns
    across = block.take(columns.before, axis=1)
    across += columns.fraction * (block.take(columns.after, axis=1) - across)
    down = across.take(rows.before, axis=0)
    down += rows.fraction[:, np.newaxis] * (across.take(rows.after, axis=0) - down)
    return down
