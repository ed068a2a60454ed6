"""Connected pieces of a mask, found strip by strip: their numbers would take four bytes a pixel of a whole scene."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, BoolArray, IntArray

EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)

KEPT_PIXELS_MAX = 2**22
"""Largest site whose numbers of pieces are kept from the first look to the second, 16 MB."""

Strip = Callable[[slice], BoolArray]
"""Given some rows, returns (h, W) bool."""


def keep_pieces(
    area: Strip, marks: Strip, keep: Callable[[IntArray, BoolArray], BoolArray], *, shape: tuple[int, int],
    corners: bool = False,
) -> tuple[Bits, int]:  # fmt: skip
    """Keep some of the connected pieces of an area.

    Parameters
    ----------
    area, marks
        Pixels of the area, and marked pixels; each strip of the area is asked for twice.
    keep
        Given of N pieces the number of pixels, and whether one of them is marked, both (N,), returns (N,) bool.
    shape
        Rows and columns of the whole.
    corners
        Whether neighbours count over corners too.

    Returns
    -------
    (H, W) bool: the pieces that are kept; and how many are not.
    """
    structure = EIGHT_NEIGHBOURS if corners else None
    sizes, marked, joints, starts, last = [], [], [np.empty((2, 0), dtype=np.int64)], [0], None
    numbered: list[AnyArray] = []
    for rows in strips(shape[0]):
        inside = area(rows)
        labels, count = ndimage.label(inside, structure=structure)
        sizes.append(np.bincount(labels.ravel(), minlength=count + 1)[1:])
        has_mark = np.zeros(count + 1, dtype=bool)
        has_mark[labels[inside & marks(rows)]] = True
        marked.append(has_mark[1:])
        if last is not None:
            joints.append(_joints(last, labels[0], corners=corners) + np.array([[starts[-2]], [starts[-1]]]))
        starts.append(starts[-1] + count)
        last = labels[-1].copy()
        if shape[0] * shape[1] <= KEPT_PIXELS_MAX:
            numbered.append(labels)
    if not starts[-1]:
        return Bits(shape), 0
    pairs = np.concatenate(joints, axis=1)
    graph = coo_array((np.ones(pairs.shape[1], dtype=bool), tuple(pairs)), shape=(starts[-1], starts[-1]))
    count, piece = connected_components(graph, directed=False)
    pixels, has_mark = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    np.add.at(pixels, piece, np.concatenate(sizes))
    has_mark[piece[np.concatenate(marked)]] = True
    stays = keep(pixels, has_mark)
    chosen, chosen_numbers = Bits(shape), stays[piece]
    for index, rows in enumerate(strips(shape[0])):
        numbers = chosen_numbers[starts[index] : starts[index + 1]]
        if numbers.any():
            labels = numbered[index] if numbered else ndimage.label(area(rows), structure=structure)[0]
            chosen[rows] = np.append(False, numbers)[labels]
    return chosen, int(count - stays.sum())


def _joints(above: AnyArray, below: AnyArray, *, corners: bool) -> IntArray:
    """Return (2, N): pieces of two adjoining rows (W,) that touch, each counted from 0 in its own strip."""
    width, pairs = len(above), [np.empty((2, 0), dtype=np.int64)]
    for step in (-1, 0, 1) if corners else (0,):
        upper, lower = above[max(-step, 0) : width - max(step, 0)], below[max(step, 0) : width - max(-step, 0)]
        both = (upper > 0) & (lower > 0)
        pairs.append(np.stack([upper[both], lower[both]]).astype(np.int64) - 1)
    return np.concatenate(pairs, axis=1)
