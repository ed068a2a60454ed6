"""Logits of the nets over the validation fold: each pixel with a trusted label once, with the block it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from stages.common.model.split import block_folds, block_numbers
from stages.common.params.learning import PatchesParams
from stages.common.tables.kinds import IGNORE
from stages.common.types import AnyArray, BoolArray, Float32Array, IntArray
from stages.train.data import Patches, TrainingData, unchanged_batches


@dataclass(frozen=True)
class ValidationPixels:
    """P pixels of blocks that training saw nothing of; pixels labelled 255 are left out."""

    logit: Float32Array
    """(P, M) logits of each member, as fitted."""
    glacier: BoolArray
    """(P,) whether the label is glacier."""
    block: IntArray
    """(P,) number of the block that each pixel lies in."""
    scene: IntArray
    """(P,) position of each pixel's year among the training years."""

    def __len__(self) -> int:
        return len(self.glacier)


def validation_pixels(
    nets: Sequence[Any], patches: Patches, data: TrainingData, params: PatchesParams
) -> ValidationPixels:
    """Apply `nets` (Keras models of logits) to `patches` and keep the pixels in blocks of the validation fold.

    Outside of its blocks the validation fold holds small glaciers without the ground around them; their
    share of glacier is not that of the site, and they are left out.
    """
    if not len(patches):
        return held_out_pixels(np.empty((0, 0, 0, len(nets)), np.float32), patches, data, params)
    batches = unchanged_batches(data, patches, batch=8)
    logit = np.concatenate(
        [np.concatenate([net(pixels, training=False).numpy() for net in nets], axis=-1) for pixels, _ in batches]
    )
    return held_out_pixels(logit, patches, data, params)


def held_out_pixels(
    logit: Float32Array, patches: Patches, data: TrainingData, params: PatchesParams
) -> ValidationPixels:
    """Return the labelled pixels in blocks of the validation fold, from logits (N, S, S, M) of `patches`."""
    if not len(patches):
        columns = (np.empty(0, kind) for kind in (bool, int, int))
        return ValidationPixels(np.empty((0, logit.shape[-1]), np.float32), *columns)
    in_fold = block_folds(data.shape, params) == params.validation_fold
    blocks = np.where(in_fold, block_numbers(data.shape, params), -1)
    return join([_of_scene(logit, patches, scene, blocks) for scene in np.unique(patches.scene)])


def join(parts: Sequence[ValidationPixels]) -> ValidationPixels:
    """Return the pixels of all parts, one part after another."""
    names = [field.name for field in fields(ValidationPixels)]
    return ValidationPixels(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _of_scene(logit: Float32Array, patches: Patches, scene: int, blocks: IntArray) -> ValidationPixels:
    chosen = patches.scene == scene
    pixel, mean, label = once_each(
        logit[chosen], patches.label[chosen], patches.row[chosen], patches.column[chosen], blocks
    )
    block = blocks.ravel()[pixel]
    in_fold = block >= 0
    years = np.full(int(in_fold.sum()), scene, dtype=np.int64)
    return ValidationPixels(mean[in_fold], label[in_fold] == 1, block[in_fold], years)


def once_each(
    values: Float32Array, label: AnyArray, row: AnyArray, column: AnyArray, canvas: AnyArray
) -> tuple[IntArray, Float32Array, AnyArray]:
    """Return the labelled pixels of windows that may overlap, each once, with the mean over the windows that label it.

    Parameters
    ----------
    values, label
        (N, S, S, M) and (N, S, S); pixels labelled 255 are left out.
    row, column
        (N,) row and column of the upper left pixel of each window in the grid.
    canvas
        (H, W): its shape is the grid's.

    Returns
    -------
    (P,) position in the flattened grid, ascending; (P, M) mean of the values; (P,) label
    """
    window, rows, columns = np.nonzero(label != IGNORE)
    places = np.ravel_multi_index((rows + row[window], columns + column[window]), canvas.shape)
    pixel, first, where = np.unique(places, return_index=True, return_inverse=True)
    labelled = values[window, rows, columns]
    sums = [np.bincount(where, labelled[:, member], len(pixel)) for member in range(labelled.shape[1])]
    mean = np.stack(sums, axis=-1) / np.bincount(where, minlength=len(pixel))[:, None]
    return pixel, mean.astype(np.float32), label[window, rows, columns][first]
