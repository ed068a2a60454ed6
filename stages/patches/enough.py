"""Whether the split leaves patches to train and to validate on, before anything is trained."""

from __future__ import annotations

from stages.common.errors import ContractError
from stages.common.params.learning import PatchesParams
from stages.common.tables.kinds import ROLES
from stages.common.types import UInt8Array
from stages.patches.windows import MIN_LABELLED_FRACTION

BLOCK_TO_BUFFER = 4
"""Least side of a block in widths of the buffer: with less, hardly any ground is left to train on."""


def require_patches(count: int, use: str, roles: UInt8Array, params: PatchesParams) -> None:
    """Refuse a split that leaves no patch for a use, with its numbers and the parameter that mends it.

    Parameters
    ----------
    count
        Patches for the use 'train' or 'validation'.
    roles
        (H, W) role of each pixel.

    Raises
    ------
    ContractError
        There is none.
    """
    if count:
        return
    pixels = {name: int((roles == value).sum()) for value, name in enumerate(ROLES)}
    window_px = params.size_px if use == "train" else params.held_out_size_px
    blocks = f"blocks of {params.block_rows_px} x {params.block_columns_px} px, buffer_px {params.buffer_px}"
    raise ContractError(
        f"the split leaves no {use} patch",
        where="params.yaml patches",
        expected=f"windows of {window_px} px with {100 * MIN_LABELLED_FRACTION:g} % of their pixels for {use}",
        found=f"{pixels[use]} px for {use} and {pixels['buffer']} px of buffer, of "
        f"{roles.shape[1]} x {roles.shape[0]} px; {blocks}",
        fix=_fix(params),
    )


def _fix(params: PatchesParams) -> str:
    fitting_px = min(params.block_rows_px, params.block_columns_px) // BLOCK_TO_BUFFER
    if params.buffer_px > fitting_px:
        return f"patches.buffer_px: {fitting_px}, a quarter of a block"
    return (
        "smaller patches.size_px, or blocks of a fifth of each side (block_rows_px, block_columns_px); or a larger AOI"
    )
