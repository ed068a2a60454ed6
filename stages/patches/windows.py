"""Cutting patches: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stages.common.kinds import IGNORE
from stages.common.params_learning import PatchesParams
from stages.common.split import MAY_LABEL, MAY_SHOW, among, crop
from stages.common.types import AnyArray, BoolArray, UInt8Array

MIN_LABELLED_FRACTION = 0.05
"""A patch with fewer labelled pixels teaches next to nothing and costs as much as any."""


def origins(length: int, size: int, stride: int) -> list[int]:
    """Starts of windows of `size` along an axis; the last one ends at the edge, so that no pixel is skipped."""
    if length <= size:
        return [0]
    starts = list(range(0, length - size, stride))
    return [*starts, length - size]


def positions(shape: tuple[int, int], size: int, stride: int) -> Iterator[tuple[int, int]]:
    """Upper left pixels of all windows."""
    for row in origins(shape[0], size, stride):
        for column in origins(shape[1], size, stride):
            yield row, column


def cut(
    scene: AnyArray, valid: BoolArray, glacier: UInt8Array, roles: UInt8Array, params: PatchesParams, *, use: str
) -> dict[str, AnyArray]:
    """Cut patches with their margin; what `use` must not see is zeroed, marked hidden and labelled 255.

    Patches without any glacier are kept: a model that never sees rock calls everything ice.

    Parameters
    ----------
    scene
        (H, W, C) raw pixels.
    valid, glacier, roles
        (H, W); `glacier` is 0, 1 or 255.
    use
        'train' or 'validation'. Validation windows do not overlap and label their inner part only, so that each
        pixel counts once.

    Returns
    -------
    image (N, S, S, C), label (N, S, S), visible (N, S, S), row (N,), column (N,), with S = size + 2 margin
    """
    shown = valid & among(roles, MAY_SHOW[use])
    label = np.where(valid & among(roles, MAY_LABEL[use]), glacier, IGNORE).astype(np.uint8)
    image = scene * shown[..., None].astype(scene.dtype)
    stride = params.stride_px if use == "train" else params.size_px
    full, margin = params.full_size_px, params.margin_px
    patches: dict[str, list[AnyArray]] = {name: [] for name in ("image", "label", "visible", "row", "column")}
    claimed = np.zeros(label.shape, dtype=bool)
    for row, column in positions(label.shape, params.size_px, stride):
        inner = slice(row, row + params.size_px), slice(column, column + params.size_px)
        if (label[inner] != IGNORE).mean() < MIN_LABELLED_FRACTION:
            continue
        corner = (row - margin, column - margin)
        labels = crop(label, *corner, full, fill=IGNORE)
        if use == "validation":
            labels[crop(claimed, *corner, full, fill=True) | _margin(full, margin)] = IGNORE
            claimed[inner] = True
        patches["image"].append(crop(image, *corner, full, fill=0))
        patches["label"].append(labels)
        patches["visible"].append(crop(shown.astype(np.uint8), *corner, full, fill=0))
        patches["row"].append(np.asarray(corner[0], dtype=np.int32))
        patches["column"].append(np.asarray(corner[1], dtype=np.int32))
    return {name: np.stack(parts) if parts else np.empty(0) for name, parts in patches.items()}


def _margin(size: int, margin: int) -> BoolArray:
    """True in the frame of a window."""
    frame = np.ones((size, size), dtype=bool)
    frame[margin : size - margin, margin : size - margin] = False
    return frame
