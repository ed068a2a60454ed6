"""The spatial split: every pixel trains, validates, calibrates, tests, or is a buffer between these."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy.ndimage import distance_transform_edt

from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips
from stages.common.model.split import BUFFER, CALIBRATION, OUTSIDE, TEST, TRAIN, VALIDATION, block_folds
from stages.common.params.learning import PatchesParams
from stages.common.types import BoolArray, IntArray, UInt8Array, UInt16Array


def pixel_roles(glacier_id: UInt16Array, aoi: Bits, params: PatchesParams) -> UInt8Array:
    """Return the role of each pixel: 0 train, 1 validation, 2 test, 3 buffer, 4 outside the AOI, 5 calibration.

    Returns
    -------
    (H, W) uint8
    """
    folds = block_folds(glacier_id.shape, params)
    largest_px = params.block_rows_px * params.block_columns_px
    roles = np.full(folds.shape, TRAIN, dtype=np.uint8)
    in_fold = Bits(aoi.shape)
    for rows in strips(len(roles)):
        validates = folds[rows] == params.validation_fold
        roles[rows][validates] = VALIDATION
        roles[rows][folds[rows] == params.test_fold] = TEST
        in_fold[rows] = validates & aoi[rows]
    del folds
    roles = hold_out_small_glaciers(roles, glacier_id, largest_px=largest_px)
    roles = add_buffer(roles, params.buffer_px)
    for rows in strips(len(roles)):
        roles[rows][~aoi[rows]] = OUTSIDE
    second = Bits.of(every_second(in_fold, params))
    return deal_to_calibration(roles, glacier_id, in_fold, second, largest_px=largest_px)


def every_second(within: BoolArray | Bits, params: PatchesParams) -> BoolArray:
    """Return True in the second, fourth, ... of the blocks with a pixel `within`, both (H, W), row by row of blocks."""
    chosen, is_second = np.zeros(within.shape, dtype=bool), False
    sides = (params.block_rows_px, params.block_columns_px)
    for rows, columns in itertools.product(*map(strips, within.shape, sides)):
        if within[rows, columns].any():
            chosen[rows, columns] = is_second
            is_second = not is_second
    return chosen


def deal_to_calibration(
    roles: UInt8Array, glacier_id: UInt16Array, in_fold: Bits, second: Bits, *, largest_px: int
) -> UInt8Array:
    """Turn the validation pixels of the `second` blocks into calibration pixels; training pixels stay as they are.

    A glacier no larger than a block goes whole to the side that holds most of it within the fold, ties to validation:
    what stops the training early must not calibrate it.
    """

    def validates(rows: slice) -> BoolArray:
        return np.asarray((roles[rows] == VALIDATION) & in_fold[rows])

    calibrating_px = _glacier_pixels(glacier_id, lambda rows: validates(rows) & second[rows])
    stopping_px = _glacier_pixels(glacier_id, lambda rows: validates(rows) & ~second[rows])
    whole = _glacier_pixels(glacier_id, lambda rows: np.ones(roles[rows].shape, dtype=bool)) <= largest_px
    whole[0] = False
    dealt = roles.copy()
    for rows in strips(len(roles)):
        ids = glacier_id[rows]
        calibrates = np.where(whole[ids], (calibrating_px > stopping_px)[ids], second[rows])
        dealt[rows][calibrates & (roles[rows] == VALIDATION)] = CALIBRATION
    return dealt


def hold_out_small_glaciers(roles: UInt8Array, glacier_id: UInt16Array, *, largest_px: int) -> UInt8Array:
    """Give a glacier that lies mostly in held-out blocks to them whole, so that nothing of it is trained on.

    A glacier with a pixel in a test block is never validated on: what chooses the model must not be what scores it. A
    test pixel stays one. Only glaciers no larger than a block: the great ones span many blocks and are split with them.
    """

    def pixels(role: int) -> IntArray:
        return _glacier_pixels(glacier_id, lambda rows: roles[rows] == role)

    training, validating, testing = map(pixels, (TRAIN, VALIDATION, TEST))
    small = (training + validating + testing > 0) & (training + validating + testing <= largest_px)
    small[0] = False
    tests = small & (testing > 0)
    held_out = small & (training < np.maximum(validating, testing))
    dealt = roles.copy()
    for rows in strips(len(roles)):
        ids, old = glacier_id[rows], roles[rows]
        dealt[rows][tests[ids] & ((old == VALIDATION) | (held_out[ids] & (old == TRAIN)))] = TEST
        dealt[rows][(held_out & ~tests)[ids] & (old == TRAIN)] = VALIDATION
    return dealt


def _glacier_pixels(glacier_id: UInt16Array, where: Callable[[slice], BoolArray]) -> IntArray:
    """Return how many pixels of each glacier are `where`, strip by strip: NumPy widens numbers to 8 bytes each."""
    counts = np.zeros(int(glacier_id.max()) + 1, dtype=np.int64)
    for rows in strips(len(glacier_id)):
        counts += np.bincount(glacier_id[rows][where(rows)], minlength=len(counts))
    return counts


def add_buffer(roles: UInt8Array, buffer_px: int) -> UInt8Array:
    """Turn training pixels within `buffer_px` of a held-out pixel into buffer; it is done strip by strip."""
    if buffer_px == 0:
        return roles
    buffered, height = roles.copy(), len(roles)
    for rows in strips(height):
        top, bottom, first = rows.start, rows.stop, max(rows.start - buffer_px, 0)
        trains = roles[first : min(bottom + buffer_px, height)] == TRAIN
        if not trains.all():
            near = distance_transform_edt(trains)[top - first : bottom - first] <= buffer_px
            buffered[top:bottom][near & trains[top - first : bottom - first]] = BUFFER
    return buffered
