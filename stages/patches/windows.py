"""Cut patches from a scene: each is made when it is asked for, and none is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from stages.common.geo.planes import Bits, Plane
from stages.common.model.split import MAY_LABEL, MAY_SHOW, crop, has_role
from stages.common.params.learning import PatchesParams
from stages.common.tables.kinds import IGNORE
from stages.common.types import AnyArray, BoolArray, UInt8Array

MIN_LABELLED_FRACTION = 0.05
"""Least share of labelled pixels in a patch: with fewer it teaches next to nothing and costs as much as any."""


def origins(length: int, size: int, stride: int) -> list[int]:
    """Return the starts of windows of `size` along an axis; the last ends at the edge, so that no pixel is skipped."""
    if length <= size:
        return [0]
    starts = list(range(0, length - size, stride))
    return [*starts, length - size]


def positions(shape: tuple[int, int], size: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield (row, column) of the upper left pixel of each window, row by row."""
    yield from itertools.product(*(origins(length, size, stride) for length in shape))


def block_positions(shape: tuple[int, int], params: PatchesParams) -> Iterator[tuple[int, int]]:
    """Yield (row, column) of windows that begin where blocks do, row by row; a block larger than a window has several.

    A window may reach into the next blocks, and beyond the edges of the scene.
    """
    size = params.held_out_size_px
    blocks = (params.block_rows_px, params.block_columns_px)
    yield from itertools.product(
        *(
            [start for block in range(0, length, side) for start in range(block, min(block + side, length), size)]
            for length, side in zip(shape, blocks, strict=True)
        )
    )


@dataclass(frozen=True)
class Scene:
    """Raw pixels of a scene, read by strips of rows."""

    bands: int
    dtype: str
    read_rows: Callable[[int, int], AnyArray]
    """Given the first row and the one after the last, returns (B, rows, W)."""

    @classmethod
    def of(cls, pixels: AnyArray) -> Scene:
        """Return a scene of (H, W, B) pixels in memory."""
        planes = np.moveaxis(pixels, -1, 0)
        return cls(len(planes), str(pixels.dtype), lambda start, stop: planes[:, start:stop])


@dataclass(frozen=True)
class PatchSet:
    """N patches for one use with their margin, of side S = size + 2 margin; none is in memory before it is made."""

    scene: Scene
    valid: Bits
    """(H, W): observed pixels."""
    glacier: UInt8Array | Plane
    """(H, W): 0, 1, or 255 where there is no label."""
    roles: UInt8Array
    """(H, W): the split; by it a window shows and labels what the use may."""
    use: str
    size_px: int
    margin_px: int
    corners: list[tuple[int, int]]
    """Row and column of the upper left pixel of each patch; may be negative."""

    def __len__(self) -> int:
        return len(self.corners)

    @property
    def once(self) -> bool:
        """Whether the inner part of each window alone is labelled, and no pixel twice."""
        return self.use != "train"

    @property
    def side_px(self) -> int:
        """Side of a patch, its margin included."""
        return self.size_px + 2 * self.margin_px

    def images(self) -> Iterator[AnyArray]:
        """Yield raw pixels (S, S, C) of each patch, 0 where hidden and beyond the scene's edges."""
        at, strip = None, np.empty(0)
        for row, column in self.corners:
            if row != at:
                at, strip = row, self._shown_rows(row)
            yield crop(strip, 0, column, self.side_px, fill=0)

    def _shown_rows(self, row: int) -> AnyArray:
        """Return (S, W, C) from `row` on, 0 where hidden and beyond the scene's edges."""
        top, bottom = max(row, 0), min(row + self.side_px, len(self.roles))
        strip = np.zeros((self.side_px, self.roles.shape[1], self.scene.bands), dtype=self.scene.dtype)
        pixels = np.moveaxis(self.scene.read_rows(top, bottom), 0, -1)
        shown = self.valid[top:bottom] & has_role(self.roles[top:bottom], MAY_SHOW[self.use])
        np.multiply(pixels, shown[:, :, None], out=strip[top - row : bottom - row], casting="unsafe")
        return strip

    def labels(self) -> Iterator[UInt8Array]:
        """Yield the label (S, S) of each patch: 0, 1, 255."""
        size, margin = self.size_px, self.margin_px
        claimed = Bits(self.valid.shape)
        for row, column in self.corners:
            label = crop(self.glacier, row, column, self.side_px, fill=IGNORE)
            label[~self._allowed((row, column), MAY_LABEL[self.use])] = IGNORE
            if self.once:
                label[crop(claimed, row, column, self.side_px, fill=True) | _margin(self.side_px, margin)] = IGNORE
                inner = slice(row + margin, row + margin + size), slice(column + margin, column + margin + size)
                claimed[inner] = np.ones(claimed[inner].shape, dtype=bool)
            yield label

    def visible(self) -> Iterator[UInt8Array]:
        """Yield 1 where imagery and label of a patch (S, S) may be used, else 0."""
        return (self._allowed(corner, MAY_SHOW[self.use]).view(np.uint8) for corner in self.corners)

    def _allowed(self, corner: tuple[int, int], allowed: tuple[int, ...]) -> BoolArray:
        """Return (S, S) bool: observed pixels of a patch whose role is one of `allowed`."""
        valid, role = (crop(plane, *corner, self.side_px, fill=0) for plane in (self.valid, self.roles))
        return np.asarray(valid & has_role(role, allowed))

    def places(self) -> AnyArray:
        """Return (N, 2) int32: the corners."""
        return np.array(self.corners, dtype=np.int32).reshape(-1, 2)

    def in_memory(self) -> dict[str, AnyArray]:
        """Return image (N, S, S, C), label and visible (N, S, S), row and column (N,): for a small scene."""
        shape, places = (len(self), self.side_px, self.side_px), self.places()
        return {
            "image": np.array([*self.images()], dtype=self.scene.dtype).reshape(*shape, self.scene.bands),
            "label": np.array([*self.labels()], dtype=np.uint8).reshape(shape),
            "visible": np.array([*self.visible()], dtype=np.uint8).reshape(shape),
            "row": places[:, 0],
            "column": places[:, 1],
        }


def cut(
    scene: Scene, valid: Bits, glacier: UInt8Array | Plane, roles: UInt8Array, params: PatchesParams, *, use: str
) -> PatchSet:
    """Place patches; what `use` must not show is zeroed, marked hidden and labelled 255.

    Patches without any glacier are kept: a model that is never trained on rock calls everything ice.

    Parameters
    ----------
    valid, glacier, roles
        (H, W); `glacier` is 0, 1 or 255.
    use
        'train', 'validation' or 'calibration'. Windows of the last two are as large as a block, so that few show it
        whole; they label their inner part only, and each pixel counts once.
    """
    margin = params.margin_px
    labelled = Bits.by_rows(
        valid.shape, lambda rows: has_role(roles[rows], MAY_LABEL[use]) & valid[rows] & (glacier[rows] != IGNORE)
    )
    if use == "train":
        size, places = params.size_px, positions(roles.shape, params.size_px, params.stride_px)
        rows = columns = size
    else:
        size, places = params.held_out_size_px, block_positions(roles.shape, params)
        rows, columns = min(size, params.block_rows_px), min(size, params.block_columns_px)
    corners = [
        (row - margin, column - margin)
        for row, column in places
        if labelled[row : row + rows, column : column + columns].mean() >= MIN_LABELLED_FRACTION
    ]
    return PatchSet(scene, valid, glacier, roles, use, size, margin, corners)


def _margin(size: int, margin: int) -> BoolArray:
    """Return (size, size) bool, True in the frame of a window."""
    frame = np.ones((size, size), dtype=bool)
    frame[margin : size - margin, margin : size - margin] = False
    return frame
