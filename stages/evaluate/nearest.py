"""What is nearest to each pixel, and how far: exact, without planes of distances of a whole scene."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, Float64Array, IntArray, UInt16Array

TREE_PIXELS = 2**20
"""Pixels of a search tree, or asked of it, at once, of some 50 bytes each."""

TIED_AT_ONCE = 2**14
"""Pixels between outlines at one distance that are worked on at once."""

SLACK_PX = 1e-6
"""Squares of distances between pixels are whole numbers: other distances than equal ones differ by more."""

Pixels = tuple[IntArray, IntArray]
"""Rows and columns of pixels, each (N,), in the order of rows."""


def nearest_glacier(ids: Plane, edge: Pixels, *, where: Bits, scratch: Path | None = None) -> Plane:
    """Return the glacier whose outline is nearest to each pixel `where`, its own inside an outline; 0 elsewhere.

    Of outline pixels at one distance that in the first column counts, and in it the first row, as in SciPy's distance
    transform of the whole. A pixel beyond all outlines takes some microseconds: ask for those that are needed.

    Parameters
    ----------
    ids, edge
        (H, W) number of each pixel's glacier, 0: none; and the pixels along the outlines.
    scratch
        Folder of the result's file.
    """
    result = Plane(scratch, ids.shape, np.uint16)
    outlines = Outlines(ids, edge) if len(edge[0]) else None
    for rows in strips(ids.shape[0]):
        owner, asked = ids[rows], where[rows]
        beyond = asked & (owner == 0)
        owner[~asked] = 0
        if outlines and beyond.any():
            at = np.nonzero(beyond)
            owner[beyond] = outlines.nearest((at[0] + rows.start, at[1]))
        result[rows] = owner
    return result


class Outlines:
    """The pixels along the outlines of glaciers, of which there is one at least."""

    def __init__(self, ids: Plane, edge: Pixels) -> None:
        self._rows, self._columns = edge
        self._owner = ids.at(*edge)
        self._tree = cKDTree(np.column_stack(edge))

    def nearest(self, pixels: Pixels) -> UInt16Array:
        """Return the nearest glacier (N,) of N pixels."""
        owner = np.empty(len(pixels[0]), dtype=self._owner.dtype)
        for some in strips(len(owner), TREE_PIXELS):
            owner[some] = self._owner[self._nearest(np.column_stack((pixels[0][some], pixels[1][some])))]
        return owner

    def _nearest(self, points: AnyArray) -> IntArray:
        """Return which outline pixel is nearest to each of (N, 2) points."""
        distance, number = map(np.asarray, self._tree.query(points, k=[1, 2]))
        nearest, tied = number[:, 0], np.flatnonzero(distance[:, 1] - distance[:, 0] < SLACK_PX)
        for part in (tied[some] for some in strips(len(tied), TIED_AT_ONCE)):
            nearest[part] = self._first_within(points[part], distance[part, 0] + SLACK_PX)
        return nearest

    def _first_within(self, points: AnyArray, reach: Float64Array) -> IntArray:
        """Return which outline pixel within reach (N,) of each of (N, 2) points has the first column, and first row."""
        within: Any = self._tree.query_ball_point(points, reach)
        sizes = np.array([len(each) for each in within])
        member = np.fromiter(itertools.chain.from_iterable(within), dtype=np.intp, count=sizes.sum())
        order = np.lexsort((self._rows[member], self._columns[member], np.repeat(np.arange(len(sizes)), sizes)))
        return np.asarray(member[order[np.append(0, sizes.cumsum()[:-1])]])


def distances_px(pixels: Pixels, targets: Pixels, *, tree_pixels: int = TREE_PIXELS) -> Float64Array:
    """Return the distance (N,) of each of `pixels` to the nearest of `targets`, of which there is one at least.

    Squares of such distances are whole numbers, so each is the square root of the same number as in a distance
    transform of the whole plane, to the last bit.
    """
    rows = pixels[0]
    distance = np.full(len(rows), np.inf)
    for beside in (True, False):  # first the targets in about the same rows: few pixels have to look farther
        for some in strips(len(targets[0]), tree_pixels):
            target = targets[0][some], targets[1][some]
            away = np.maximum(np.maximum(target[0][0] - rows, rows - target[0][-1]), 0)
            asked = np.flatnonzero(away == 0 if beside else (away > 0) & (away < distance))
            if len(asked):
                tree = cKDTree(np.column_stack(target))
                for part in (asked[few] for few in strips(len(asked), tree_pixels)):
                    points = np.column_stack((rows[part], pixels[1][part]))
                    distance[part] = np.minimum(distance[part], tree.query(points)[0])
    return distance
