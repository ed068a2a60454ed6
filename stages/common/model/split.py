"""Blocks and roles of pixels in the spatial split, and the check that no patch shows a held-out pixel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stages.common.errors import ContractError
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
    return np.asarray(rows[:, None] * (columns[-1] + 1) + columns[None, :], dtype=np.int64)


def block_folds(shape: tuple[int, int], params: PatchesParams) -> IntArray:
    """Return the fold (H, W) of each pixel: block (r, c) belongs to fold (c + 2 r) mod folds.

    As a knight moves in chess: with five folds no two blocks of a fold touch, not even at a corner.
    """
    rows, columns = _block_places(shape, params)
    return np.asarray((columns[None, :] + 2 * rows[:, None]) % params.folds, dtype=np.int64)


def _block_places(shape: tuple[int, int], params: PatchesParams) -> tuple[IntArray, IntArray]:
    return np.arange(shape[0]) // params.block_rows_px, np.arange(shape[1]) // params.block_columns_px


def crop(plane: AnyArray, row: int, column: int, size: int, *, fill: int) -> AnyArray:
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
    return np.asarray(np.isin(roles, allowed))


def check_no_leak(patches: Mapping[str, AnyArray], roles: UInt8Array, *, use: str, where: Path) -> None:
    """Check that patches for `use` ('train', 'validation' or 'calibration') show no pixel that they must not show.

    Every pixel is checked against the split: where it must not show, its imagery must be 0 and marked hidden, and
    its label 255.

    Raises
    ------
    ContractError
        A patch shows imagery or a label of a held-out pixel.
    """
    for index, (row, column) in enumerate(zip(patches["row"], patches["column"], strict=True)):
        size = patches["label"].shape[1]
        role = crop(roles, int(row), int(column), size, fill=OUTSIDE)
        visible = (patches["visible"][index] != 0) | patches["image"][index].any(axis=-1)
        labelled = patches["label"][index] != IGNORE
        for what, present, allowed in (("imagery", visible, MAY_SHOW[use]), ("a label", labelled, MAY_LABEL[use])):
            leaked = present & ~has_role(role, allowed)
            if leaked.any():
                raise ContractError(
                    f"a {use} patch shows {what} of held-out pixels",
                    where=f"{where}, patch {index} at row {row}, column {column}",
                    expected="0 pixels",
                    found=f"{int(leaked.sum())} pixels of role {ROLES[int(role[leaked][0])]}",
                    fix="run `patches` again; where that does not help, report it: the split is wrong",
                )
