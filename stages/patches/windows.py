"""Cut patches from arrays: pure functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

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
    for row in origins(shape[0], size, stride):
        for column in origins(shape[1], size, stride):
            yield row, column


def cut(
    scene: AnyArray, valid: BoolArray, glacier: UInt8Array, roles: UInt8Array, params: PatchesParams, *, use: str
) -> dict[str, AnyArray]:
    """Cut patches with their margin; what `use` must not show is zeroed, marked hidden and labelled 255.

    Patches without any glacier are kept: a model that is never trained on rock calls everything ice.

    Parameters
    ----------
    scene
        (H, W, C) raw pixels.
    valid, glacier, roles
        (H, W); `glacier` is 0, 1 or 255.
    use
        'train', 'validation' or 'calibration'. Windows of the last two do not overlap and label their inner part only,
        so that each pixel counts once.

    Returns
    -------
    image (N, S, S, C), label (N, S, S), visible (N, S, S), row (N,), column (N,), with S = size + 2 margin
    """
    visible = valid & has_role(roles, MAY_SHOW[use])
    label = np.where(valid & has_role(roles, MAY_LABEL[use]), glacier, IGNORE).astype(np.uint8)
    image = scene * visible[..., None].astype(scene.dtype)
    stride = params.stride_px if use == "train" else params.size_px
    full, margin = params.full_size_px, params.margin_px
    corners, labels = [], []
    claimed = np.zeros(label.shape, dtype=bool)
    for row, column in positions(label.shape, params.size_px, stride):
        inner = slice(row, row + params.size_px), slice(column, column + params.size_px)
        if (label[inner] != IGNORE).mean() < MIN_LABELLED_FRACTION:
            continue
        corners.append((row - margin, column - margin))
        labels.append(crop(label, *corners[-1], full, fill=IGNORE))
        if use != "train":
            labels[-1][crop(claimed, *corners[-1], full, fill=True) | _margin(full, margin)] = IGNORE
            claimed[inner] = True
    places = np.array(corners, dtype=np.int32).reshape(-1, 2)
    return {
        "image": _crops(image, corners, full),
        "label": np.array(labels, dtype=np.uint8).reshape(-1, full, full),
        "visible": _crops(visible.astype(np.uint8), corners, full),
        "row": places[:, 0],
        "column": places[:, 1],
    }


def _crops(plane: AnyArray, corners: list[tuple[int, int]], size: int) -> AnyArray:
    """Return (N, size, size, ...) windows of `plane`, zero beyond its edges; N may be 0."""
    windows = [crop(plane, row, column, size, fill=0) for row, column in corners]
    return np.array(windows, dtype=plane.dtype).reshape(-1, size, size, *plane.shape[2:])


def _margin(size: int, margin: int) -> BoolArray:
    """Return (size, size) bool, True in the frame of a window."""
    frame = np.ones((size, size), dtype=bool)
    frame[margin : size - margin, margin : size - margin] = False
    return frame
