"""Column strips of a scene that do not show in the result.

A U-Net is equivariant to shifts by its total stride only, and sees as far as its receptive field. So every strip starts
at a multiple of the stride and keeps only what lies a margin away from its edges (or ends at the scene's own edge).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A strip: its start, and the part of the scene that it is kept for, in pixels."""

    start: int
    keep_start: int
    keep_stop: int


def round_up(value: float, multiple: int) -> int:
    """Return the smallest multiple that is not below `value`."""
    return math.ceil(value / multiple) * multiple


def plan_strips(length: int, size: int, margin: int) -> tuple[Span, ...]:
    """Plan strips of `size` columns over a scene of `length` columns.

    `length`, `size` and `margin` are multiples of the model's stride. The first strip starts at the edge and keeps
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


def strip_size(length: int, most: int, *, margin: int, stride: int) -> int:
    """Return the columns of a strip for as few strips of one size as `most` columns allow.

    All numbers but `most` are multiples of the stride. At least one stride of a strip is kept.
    """
    count, size = 1, length
    while size > max(most, 2 * margin + stride):
        count += 1
        size = max(round_up((length + 2 * margin * (count - 1)) / count, stride), 2 * margin + stride)
    return size
