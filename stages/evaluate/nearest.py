"""What is nearest to each pixel, and how far: exact, without planes of distances of a whole scene."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, BoolArray, Float64Array, IntArray, UInt16Array

TILE_PX = 512
"""Side of the squares that are worked on, and how far from an outline a distance transform of one reaches."""

CELLS_PX = (64, 8, 1)
"""Sides of the cells of a square farther away. A cell is split where outlines of several glaciers may be nearest."""

BALLS_AT_ONCE = 256
"""Cells whose outline pixels are listed at once: a list takes some 40 bytes an entry."""

TREE_PIXELS = 2**20
"""Pixels of a search tree, of some 50 bytes each."""

SLACK_PX = 1e-6
"""Squares of distances between pixels are whole numbers: other distances than equal ones differ by more."""

Pixels = tuple[IntArray, IntArray]
"""Rows and columns of pixels, each (N,), in the order of rows."""


class Outlines:
    """The pixels along the outlines of glaciers, one of which is nearest to any pixel of the ground around."""

    def __init__(self, ids: Plane, truth: Bits, edge: Pixels) -> None:
        self.truth, (self.rows, self.columns) = truth, edge
        self._owner = ids.at(*edge)
        self._key = self.rows * np.int64(truth.shape[1]) + self.columns
        self._tree = cKDTree(np.column_stack(edge))

    def nearest(self, row: int, column: int, wanted: BoolArray, *, tile: int, cells: tuple[int, ...]) -> UInt16Array:
        """Return the nearest glacier (N,) of the N `wanted` pixels, (h, w), from `row` and `column` on."""
        at = np.nonzero(wanted)
        rows, columns = at[0] + row, at[1] + column
        centre, _, reach = _cells(rows, columns, cells[0])
        halo = math.ceil(_distances(self._tree, centre).max() + reach)
        return self._near(rows, columns, halo) if halo <= tile else self._far(rows, columns, cells)

    def _near(self, rows: IntArray, columns: IntArray, halo: int) -> UInt16Array:
        """Return the nearest glacier (N,) of pixels whose nearest outline is within `halo`."""
        top, left = (max(int(axis.min()) - halo, 0) for axis in (rows, columns))
        window = slice(top, int(rows.max()) + halo + 1), slice(left, int(columns.max()) + halo + 1)
        down, across = distance_transform_edt(~self.truth[window], return_distances=False, return_indices=True)
        at = rows - top, columns - left
        key = (down[at] + np.int64(top)) * self.truth.shape[1] + across[at] + left
        return np.asarray(self._owner[np.searchsorted(self._key, key)])

    def _far(self, rows: IntArray, columns: IntArray, cells: tuple[int, ...]) -> UInt16Array:
        """Return the nearest glacier (N,) of pixels, cell by cell; of glaciers at one distance as `nearest_glacier`."""
        owner, left = np.zeros(len(rows), dtype=self._owner.dtype), np.arange(len(rows))
        for side in cells:
            centre, number, reach = _cells(rows[left], columns[left], side)
            owner[left] = np.concatenate(
                [self._of_cells(centre[some], 2 * reach) for some in strips(len(centre), BALLS_AT_ONCE)]
            )[number]
            left = left[owner[left] == 0]
            if not len(left):
                break
        return owner

    def _of_cells(self, centre: Float64Array, further: float) -> UInt16Array:
        """Return the glacier (M,) that alone is within the nearest distance and `further` of (M, 2) centres, else 0.

        Where `further` is 0, glaciers at the same distance are told apart.
        """
        balls: Any = self._tree.query_ball_point(centre, _distances(self._tree, centre) + further + SLACK_PX)
        sizes = np.array([len(ball) for ball in balls])
        member = np.fromiter(itertools.chain.from_iterable(balls), dtype=np.intp, count=sizes.sum())
        starts = np.append(0, sizes.cumsum()[:-1])
        if not further:
            order = np.lexsort((self.rows[member], self.columns[member], np.repeat(np.arange(len(balls)), sizes)))
            return np.asarray(self._owner[member[order[starts]]])
        owners = self._owner[member]
        least, most = np.minimum.reduceat(owners, starts), np.maximum.reduceat(owners, starts)
        return np.where(least == most, least, least.dtype.type(0))


def _distances(tree: Any, points: AnyArray) -> Float64Array:
    """Return the distance (N,) of (N, 2) points to the nearest of a search tree."""
    return np.asarray(tree.query(points)[0], dtype=np.float64)


def _cells(rows: IntArray, columns: IntArray, side: int) -> tuple[Float64Array, IntArray, float]:
    """Return centres (M, 2) of the cells that hold N pixels, each pixel's cell (N,), and how far a pixel may be off."""
    key = (rows // side) * np.int64(2**31) + columns // side
    cells, number = np.unique(key, return_inverse=True)
    centre = np.column_stack((cells >> 31, cells & 2**31 - 1)) * side + (side - 1) / 2
    return centre, number, (side - 1) / 2 * math.sqrt(2)


def nearest_glacier(
    ids: Plane, truth: Bits, edge: Pixels, *, where: Bits, scratch: Path | None = None, tile: int = TILE_PX,
    cells: tuple[int, ...] = CELLS_PX,
) -> Plane:  # fmt: skip
    """Return the glacier whose outline is nearest to each pixel `where`, its own inside an outline; 0 elsewhere.

    Of outline pixels at one distance that in the first column counts, and in it the first row, as in a distance
    transform of the whole.

    Parameters
    ----------
    ids, truth, edge
        (H, W) number of each pixel's glacier, 0: none; where it is not 0; and the pixels on that boundary.
    scratch
        Folder of the result's file.
    tile, cells
        No bit depends on them; the last cell is a pixel.
    """
    result = Plane(scratch, ids.shape, np.uint16)
    outlines = Outlines(ids, truth, edge) if len(edge[0]) else None
    for rows in strips(ids.shape[0], tile):
        owner, asked = ids[rows], where[rows]
        ground = asked & (owner == 0)
        owner[~asked] = 0
        for columns in strips(ids.shape[1], tile):
            wanted = ground[:, columns]
            if outlines and wanted.any():
                part = owner[:, columns]
                part[wanted] = outlines.nearest(rows.start, columns.start, wanted, tile=tile, cells=cells)
        result[rows] = owner
    return result


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
                    distance[part] = np.minimum(distance[part], _distances(tree, points))
    return distance
