"""Inference windows that do not show in the result.

A U-Net is equivariant to shifts by its total stride only, and sees as far as its receptive field. So every window
starts at a multiple of the stride and keeps only what lies a margin away from its edges (or ends at the scene's own
edge): then any window grid, size or batch gives the same values, and the margin is the only extra work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A window along one axis: its start, and the part of the scene that it is kept for, in pixels."""

    start: int
    keep_start: int
    keep_stop: int


@dataclass(frozen=True)
class Window:
    """A window of `WindowPlan.window_height` by `WindowPlan.window_width` pixels."""

    rows: Span
    columns: Span


@dataclass(frozen=True)
class WindowPlan:
    """Windows of one size that keep every pixel of a scene exactly once."""

    height: int
    """Number of rows of the scene."""
    width: int
    """Number of columns of the scene."""
    window_height: int
    window_width: int
    row_spans: tuple[Span, ...]
    column_spans: tuple[Span, ...]

    def __iter__(self) -> Iterator[Window]:
        """Yield the windows row by row, so that few rows of the scene are in memory."""
        return (Window(rows, columns) for rows in self.row_spans for columns in self.column_spans)

    def __len__(self) -> int:
        return len(self.row_spans) * len(self.column_spans)

    @property
    def compute_ratio(self) -> float:
        """Pixels computed over pixels of the scene: the price of the margins."""
        return len(self) * self.window_height * self.window_width / (self.height * self.width)


def round_up(value: float, multiple: int) -> int:
    """Return the smallest multiple that is not below `value`."""
    return math.ceil(value / multiple) * multiple


def plan_axis(length: int, size: int, margin: int) -> tuple[Span, ...]:
    """Plan the windows along an axis of `length` pixels.

    `length`, `size` and `margin` are multiples of the model's stride. The first window starts at the edge and keeps
    all but its far margin; the last one ends at the edge.
    """
    if size >= length:
        return (Span(0, 0, length),)
    spans = [Span(0, 0, size - margin)]
    while spans[-1].keep_stop < length:
        covered = spans[-1].keep_stop
        start = min(covered - margin, length - size)
        spans.append(Span(start, covered, length if start == length - size else start + size - margin))
    return tuple(spans)


def plan_windows(height: int, width: int, *, stride_px: int, radius_px: int, max_pixels: int) -> WindowPlan:
    """Return the cheapest plan whose windows hold at most `max_pixels` (or the least that works, if that is more).

    The scene is padded at its right and bottom to a multiple of the stride; `radius_px` is the radius of the
    receptive field. All numbers of rows and columns of windows are tried: there are few.
    """
    margin = round_up(radius_px, stride_px)
    rows, columns = round_up(height, stride_px), round_up(width, stride_px)
    heights, widths = _sizes(rows, margin, stride_px), _sizes(columns, margin, stride_px)
    bound = max(max_pixels, heights[-1] * widths[-1])
    _, size = min(
        (_computed(rows, high, margin) * _computed(columns, wide, margin), (high, wide))
        for high in heights
        for wide in widths
        if high * wide <= bound
    )
    return fixed_plan(height, width, size=size, stride_px=stride_px, margin_px=margin)


def fixed_plan(height: int, width: int, *, size: tuple[int, int], stride_px: int, margin_px: int) -> WindowPlan:
    """Plan windows of `size` (rows, columns), both multiples of the stride."""
    rows, columns = round_up(height, stride_px), round_up(width, stride_px)
    return WindowPlan(
        height=height,
        width=width,
        window_height=min(size[0], rows),
        window_width=min(size[1], columns),
        row_spans=plan_axis(rows, size[0], margin_px),
        column_spans=plan_axis(columns, size[1], margin_px),
    )


def _sizes(length: int, margin: int, stride: int) -> list[int]:
    """Return the window sizes to try, largest first: for each number of windows the smallest that covers `length`."""
    least = 2 * margin + stride
    if length <= least:
        return [length]
    most = (length - 2 * margin) // stride
    exact = ((length + 2 * margin * (count - 1)) / count for count in range(1, most + 1))
    return sorted({max(round_up(size, stride), least) for size in exact}, reverse=True)


def _computed(length: int, size: int, margin: int) -> int:
    """Return the pixels that are computed along an axis, margins and overlaps included."""
    count = 1 if size >= length else math.ceil((length - 2 * margin) / (size - 2 * margin))
    return count * min(size, length)
