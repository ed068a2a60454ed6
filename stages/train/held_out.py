"""What the nets say of the validation fold: pixels with a trusted label, each once, with the block it lies in."""

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
class HeldOut:
    """P pixels of blocks that training saw nothing of; labels of 255 are left out."""

    logit: Float32Array
    """(P, M) of each member, as fitted."""
    glacier: BoolArray
    """(P,)."""
    block: IntArray
    """(P,) number of the pixel's block."""
    scene: IntArray
    """(P,) position of the pixel's year."""

    def __len__(self) -> int:
        return len(self.glacier)


def held_out(nets: Sequence[Any], patches: Patches, data: TrainingData, params: PatchesParams) -> HeldOut:
    """Logits of `nets` (Keras models of logits) on `patches`, over the blocks of the validation fold.

    Outside of its blocks the validation fold holds small glaciers without the ground around them; they say nothing of
    how often a pixel is glacier, and are left out.
    """
    if not len(patches):
        return HeldOut(np.empty((0, len(nets)), np.float32), *(np.empty(0, kind) for kind in (bool, int, int)))
    batches = unchanged_batches(data, patches, batch=8)
    logit = np.concatenate(
        [np.concatenate([net(pixels, training=False).numpy() for net in nets], axis=-1) for pixels, _ in batches]
    )
    in_fold = block_folds(data.shape, params) == params.validation_fold
    blocks = np.where(in_fold, block_numbers(data.shape, params), -1)
    return join([_of_scene(logit, patches, scene, blocks) for scene in np.unique(patches.scene)])


def join(parts: Sequence[HeldOut]) -> HeldOut:
    """All pixels of several."""
    return HeldOut(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(HeldOut)))


def _of_scene(logit: Float32Array, patches: Patches, scene: int, blocks: IntArray) -> HeldOut:
    mine = patches.scene == scene
    pixel, mean, label = once_each(logit[mine], patches.label[mine], patches.row[mine], patches.column[mine], blocks)
    block = blocks.ravel()[pixel]
    there = block >= 0
    count = int(there.sum())
    return HeldOut(mean[there], label[there] == 1, block[there], np.full(count, scene, dtype=np.int64))


def once_each(
    values: Float32Array, label: AnyArray, row: AnyArray, column: AnyArray, canvas: AnyArray
) -> tuple[IntArray, Float32Array, AnyArray]:
    """Labelled pixels of windows that may overlap, once each; the mean of the windows that label it.

    Parameters
    ----------
    values, label
        (N, S, S, M) and (N, S, S); pixels labelled 255 are left out.
    row, column
        (N,) upper left pixels of the windows in the grid.
    canvas
        (H, W): its shape is the grid's.

    Returns
    -------
    (P,) position in the flattened grid, ascending; (P, M) mean of the values; (P,) label
    """
    window, rows, columns = np.nonzero(label != IGNORE)
    places = np.ravel_multi_index((rows + row[window], columns + column[window]), canvas.shape)
    pixel, first, where = np.unique(places, return_index=True, return_inverse=True)
    found = values[window, rows, columns]
    sums = [np.bincount(where, found[:, member], len(pixel)) for member in range(found.shape[1])]
    mean = np.stack(sums, axis=-1) / np.bincount(where, minlength=len(pixel))[:, None]
    return pixel, mean.astype(np.float32), label[window, rows, columns][first]
