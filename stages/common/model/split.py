"""Blocks and roles of pixels in the spatial split, and the check that no patch shows a held-out pixel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stages.common.errors import ContractError
from stages.common.geo.planes import Bits, Plane
from stages.common.params.learning import PatchesParams
from stages.common.tables.kinds import IGNORE, ROLES
from stages.common.types import AnyArray, BoolArray, IntArray, UInt8Array

TRAIN, VALIDATION, TEST, BUFFER, OUTSIDE, CALIBRATION = range(len(ROLES))

HELD_OUT = (TRAIN, VALIDATION, CALIBRATION, BUFFER)
MAY_SHOW = {"train": (TRAIN,), "validation": HELD_OUT, "calibration": HELD_OUT}
"""Roles whose imagery a set of patches may show. No set shows a test pixel."""

MAY_LABEL = {"train": (TRAIN,), "validation": (VALIDATION,), "calibration": (CALIBRATION,)}
"""Roles whose labels a set of patches may hold."""


def block_numbers(shape: tuple[int, int], params: PatchesParams) -> IntArray:
    """Return the number (H, W) of each pixel's block, row by row from 0."""
    rows, columns = _block_places(shape, params)
    numbers = rows.astype(np.int32)[:, None] * np.int32(columns[-1] + 1) + columns.astype(np.int32)[None, :]
    return np.asarray(numbers, dtype=np.int32)


def block_folds(shape: tuple[int, int], params: PatchesParams) -> IntArray:
    """Return the fold (H, W) of each pixel: block (r, c) belongs to fold (c + 2 r) mod folds.

    As a knight moves in chess: with five folds no two blocks of a fold touch, not even at a corner.
    """
    rows, columns = _block_places(shape, params)
    across, down = (place % params.folds for place in (columns, 2 * rows))  # of at most 20 folds: the sum fits a byte
    return (across.astype(np.uint8)[None, :] + down.astype(np.uint8)[:, None]) % np.uint8(params.folds)


def _block_places(shape: tuple[int, int], params: PatchesParams) -> tuple[IntArray, IntArray]:
    return np.arange(shape[0]) // params.block_rows_px, np.arange(shape[1]) // params.block_columns_px


def crop(plane: AnyArray | Bits | Plane, row: int, column: int, size: int, *, fill: int) -> AnyArray:
    """Return a window of `plane`, (H, W) or (H, W, C), with upper left pixel (row, column); `fill` beyond the edges."""
    window = np.full((size, size, *plane.shape[2:]), fill, dtype=plane.dtype)
    rows = slice(max(row, 0), min(row + size, plane.shape[0]))
    columns = slice(max(column, 0), min(column + size, plane.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        inner = (slice(rows.start - row, rows.stop - row), slice(columns.start - column, columns.stop - column))
        window[inner] = plane[rows, columns]
    return window


def has_role(roles: UInt8Array, allowed: tuple[int, ...]) -> BoolArray:
    """Return where the role is one of `allowed`."""
    first, *others = allowed
    has: BoolArray = roles == first
    for role in others:
        has |= roles == role
    return has


def check_no_leak(patches: Mapping[str, AnyArray], roles: UInt8Array, *, use: str, where: Path) -> None:
    """Check each of the patches (`check_patch`), arrays of which hold one entry a patch.

    Raises
    ------
    ContractError
        A patch shows imagery or a label of a held-out pixel.
    """
    corners = zip(patches["row"], patches["column"], strict=True)
    for index, (row, column) in enumerate(corners):
        check_patch(
            patches["image"][index], patches["label"][index], patches["visible"][index], roles,
            corner=(int(row), int(column)), use=use, where=f"{where}, patch {index}",
        )  # fmt: skip


def check_patch(
    image: AnyArray,
    label: UInt8Array,
    visible: UInt8Array,
    roles: UInt8Array,
    *,
    corner: tuple[int, int],
    use: str,
    where: str,
) -> None:
    """Check that a patch for `use` ('train', 'validation' or 'calibration') shows no pixel that it must not show.

    Every pixel is checked against the split: where it must not show, its imagery must be 0 and marked hidden, and
    its label 255.

    Parameters
    ----------
    image, label, visible
        (S, S, C), (S, S) and (S, S): the patch.
    roles
        (H, W): the split.
    corner
        Row and column of the patch's upper left pixel.

    Raises
    ------
    ContractError
        The patch shows imagery or a label of a held-out pixel.
    """
    role = crop(roles, *corner, len(label), fill=OUTSIDE)
    shown = (visible != 0) | image.any(axis=-1)
    for what, present, allowed in (("imagery", shown, MAY_SHOW[use]), ("a label", label != IGNORE, MAY_LABEL[use])):
        leaked = present & ~has_role(role, allowed)
        if leaked.any():
            raise ContractError(
                f"a {use} patch shows {what} of held-out pixels",
                where=f"{where} at row {corner[0]}, column {corner[1]}",
                expected="0 pixels",
                found=f"{int(leaked.sum())} pixels of role {ROLES[int(role[leaked][0])]}",
                fix="run `patches` again; where that does not help, report it: the split is wrong",
            )
