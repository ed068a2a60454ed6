"""The spatial split: every pixel trains, validates, calibrates, tests, or is a buffer between these."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from stages.common.geo.rows import strips
from stages.common.model.split import BUFFER, CALIBRATION, OUTSIDE, TEST, TRAIN, VALIDATION, block_folds, block_numbers
from stages.common.params.learning import PatchesParams
from stages.common.types import BoolArray, IntArray, UInt8Array, UInt16Array


def pixel_roles(glacier_id: UInt16Array, aoi: BoolArray, params: PatchesParams) -> UInt8Array:
    """Return the role of each pixel: 0 train, 1 validation, 2 test, 3 buffer, 4 outside the AOI, 5 calibration.

    Returns
    -------
    (H, W) uint8
    """
    folds = block_folds(glacier_id.shape, params)
    largest_px = params.block_rows_px * params.block_columns_px
    roles = np.full(folds.shape, TRAIN, dtype=np.uint8)
    roles[folds == params.validation_fold] = VALIDATION
    roles[folds == params.test_fold] = TEST
    roles = hold_out_small_glaciers(roles, glacier_id, largest_px=largest_px)
    roles = np.where(aoi, add_buffer(roles, params.buffer_px), OUTSIDE).astype(np.uint8)
    in_fold = (folds == params.validation_fold) & aoi
    second = every_second(block_numbers(folds.shape, params), in_fold)
    return deal_to_calibration(roles, glacier_id, in_fold, second, largest_px=largest_px)


def every_second(blocks: IntArray, within: BoolArray) -> BoolArray:
    """Return True in the second, fourth, ... of the blocks with a pixel `within`, in the order of their numbers."""
    return np.asarray(np.isin(blocks, np.unique(blocks[within])[1::2]))


def deal_to_calibration(
    roles: UInt8Array, glacier_id: UInt16Array, in_fold: BoolArray, second: BoolArray, *, largest_px: int
) -> UInt8Array:
    """Turn the validation pixels of the `second` blocks into calibration pixels; training pixels stay as they are.

    A glacier no larger than a block goes whole to the side that holds most of it within the fold, ties to validation:
    what stops the training early must not calibrate it.
    """
    validates, count = roles == VALIDATION, int(glacier_id.max()) + 1
    validates_in_fold = validates & in_fold
    calibrating_px = np.bincount(glacier_id[validates_in_fold & second], minlength=count)
    stopping_px = np.bincount(glacier_id[validates_in_fold & ~second], minlength=count)
    whole = np.bincount(glacier_id.ravel(), minlength=count) <= largest_px
    whole[0] = False
    calibrates = validates & np.where(whole[glacier_id], (calibrating_px > stopping_px)[glacier_id], second)
    return np.where(calibrates, CALIBRATION, roles).astype(np.uint8)


def hold_out_small_glaciers(roles: UInt8Array, glacier_id: UInt16Array, *, largest_px: int) -> UInt8Array:
    """Give a glacier that lies mostly in held-out blocks to them whole, so that nothing of it is trained on.

    A glacier with a pixel in a test block is never validated on: what chooses the model must not be what scores it. A
    test pixel stays one. Only glaciers no larger than a block: the great ones span many blocks and are split with them.
    """
    count = int(glacier_id.max()) + 1
    training, validating, testing = (np.bincount(glacier_id[roles == role], minlength=count) for role in range(3))
    small = (training + validating + testing > 0) & (training + validating + testing <= largest_px)
    small[0] = False
    tests = small & (testing > 0)
    held_out = small & (training < np.maximum(validating, testing))
    to_test = tests[glacier_id] & ((roles == VALIDATION) | (held_out[glacier_id] & (roles == TRAIN)))
    to_validation = (held_out & ~tests)[glacier_id] & (roles == TRAIN)
    return np.select([to_test, to_validation], [np.uint8(TEST), np.uint8(VALIDATION)], roles).astype(np.uint8)


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
