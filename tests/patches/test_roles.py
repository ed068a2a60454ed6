"""The spatial split: blocks, small glaciers, buffers and the roles of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from stages.common.model.split import (
    BUFFER,
    CALIBRATION,
    OUTSIDE,
    TEST,
    TRAIN,
    VALIDATION,
    block_folds,
    block_numbers,
)
from stages.common.params.learning import PatchesParams
from stages.patches.roles import add_buffer, deal_to_calibration, every_second, hold_out_small_glaciers, pixel_roles


def params(**changes: object) -> PatchesParams:
    base = {"size_px": 32, "margin_px": 8, "stride_px": 16, "block_rows_px": 32, "block_columns_px": 40, "buffer_px": 4}
    return PatchesParams.model_validate(base | changes)


def test_folds_are_those_of_the_everest_protocol() -> None:
    folds = block_folds((655, 800), params(block_rows_px=131, block_columns_px=160))
    assert [[int(folds[131 * r, 160 * c]) for c in range(5)] for r in range(5)] == [
        [(c + 2 * r) % 5 for c in range(5)] for r in range(5)
    ]
    assert [int((folds == fold).sum()) for fold in range(5)] == [131 * 160 * 5] * 5


def test_blocks_of_one_fold_never_touch() -> None:
    folds = block_folds((200, 200), params(block_rows_px=20, block_columns_px=20))[::20, ::20]
    for row, column in np.argwhere(folds == 0):
        around = folds[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        assert (around == 0).sum() == 1


def test_a_small_glacier_goes_whole_to_the_test() -> None:
    roles = np.full((60, 80), TRAIN, dtype=np.uint8)
    roles[:, 40:] = TEST
    ids = np.zeros((60, 80), dtype=np.uint16)
    ids[10:20, 35:50] = 1  # two thirds in the test block
    ids[30:40, 30:43] = 2  # mostly in training
    ids[45:58, 20:80] = 3  # mostly in the test block, but larger than a block
    new_roles = hold_out_small_glaciers(roles, ids, largest_px=400)
    assert (new_roles[ids == 1] == TEST).all()
    assert (new_roles[10:20, 30:35] == TRAIN).all()
    assert (new_roles[30:40, 30:40] == TRAIN).all() and (new_roles[30:40, 40:43] == TEST).all()
    assert (new_roles[45:58, 20:40] == TRAIN).all()


def test_a_small_glacier_that_is_tested_is_neither_trained_nor_validated_on() -> None:
    """Three blocks side by side: training, validation, test; glaciers of 100 px, as many as a block."""
    roles = np.full((60, 30), TRAIN, dtype=np.uint8)
    roles[:, 10:20], roles[:, 20:] = VALIDATION, TEST
    ids = np.zeros((60, 30), dtype=np.uint16)
    ids[0:5, 8:28] = 1  # 2 columns in training, 10 in validation, 8 in the test block
    ids[10:15, 8:28], ids[10:15, 10:12] = 2, 0
    ids[10:15, 28] = 2  # 2 columns in training, 8 in validation, 9 in the test block
    ids[20:25, 15:25] = 3  # as many in validation as in the test block
    ids[30:35, 5:15] = 4  # as many in training as in validation
    ids[40:51, 14:26], ids[40:51, 14:18] = 5, 0  # 2 columns in validation, 6 in the test block: 88 px
    ids[52:60, 11:30] = 6  # mostly in the test block, and larger than a block
    ids[26:29, 2:22] = 7  # mostly in training, 10 columns in validation, 2 in the test block
    ids[26:29, 12:20], ids[37, 9:21] = 0, 8  # 2 columns in validation; 1 px in training, 10 in validation, 1 tests
    new_roles = hold_out_small_glaciers(roles, ids, largest_px=100)
    for glacier in (1, 2, 3, 5, 8):
        assert (new_roles[ids == glacier] == TEST).all()
    assert (new_roles[26:29, 2:10] == TRAIN).all() and (new_roles[26:29, 10:22][ids[26:29, 10:22] == 7] == TEST).all()
    assert (new_roles == roles)[(ids == 0) | (ids == 4) | (ids == 6)].all()


def test_ground_without_a_glacier_stays_in_its_block() -> None:
    roles = np.array([[TRAIN] * 3 + [TEST] * 7], dtype=np.uint8)
    assert (hold_out_small_glaciers(roles, np.zeros((1, 10), dtype=np.uint16), largest_px=400) == roles).all()


def test_a_glacier_of_less_than_a_block_goes_whole_with_the_roles_of_a_site() -> None:
    """Blocks of 32 x 40 px; 12 rows of the glacier lie in the first block, which tests, and 8 in one that trains."""
    ids = np.zeros((160, 200), dtype=np.uint16)
    ids[20:40, 5:25] = 1
    roles = pixel_roles(ids, np.ones(ids.shape, dtype=bool), params(buffer_px=0))
    assert (roles[ids == 1] == TEST).all()
    assert (roles[32:64, 30:40] == TRAIN).all()


def test_every_second_block_of_the_validation_fold_calibrates() -> None:
    """Five by five blocks, one of the fold in each row: rows 0, 2 and 4 stop the training, rows 1 and 3 calibrate."""
    chosen = params(block_rows_px=20, block_columns_px=20, buffer_px=0)
    roles = pixel_roles(np.zeros((100, 100), dtype=np.uint16), np.ones((100, 100), dtype=bool), chosen)
    in_fold = block_folds((100, 100), chosen) == 1
    rows = np.broadcast_to(np.arange(100)[:, None] // 20, roles.shape)
    assert (roles[in_fold] == np.where(rows[in_fold] % 2 == 0, VALIDATION, CALIBRATION)).all()
    assert not np.isin(roles[~in_fold], (VALIDATION, CALIBRATION)).any()


def test_every_second_goes_by_the_numbers_of_blocks() -> None:
    chosen = params(block_rows_px=20, block_columns_px=30)
    within = np.random.default_rng(0).random((90, 100)) < 0.002  # some blocks have none
    numbers = block_numbers(within.shape, chosen)
    used = np.unique(numbers[within])
    assert 4 < len(used) < numbers.max() + 1
    assert (every_second(within, chosen) == np.isin(numbers, used[1::2])).all()


def test_blocks_outside_of_the_aoi_are_not_dealt() -> None:
    chosen = params(block_rows_px=20, block_columns_px=20, buffer_px=0)
    aoi = np.ones((100, 100), dtype=bool)
    aoi[:20] = False  # with the first block of the fold
    roles = pixel_roles(np.zeros((100, 100), dtype=np.uint16), aoi, chosen)
    assert sorted(np.unique(np.nonzero(roles == CALIBRATION)[0] // 20)) == [2, 4]


def test_block_numbers_run_row_by_row() -> None:
    numbers = block_numbers((40, 100), params(block_rows_px=20, block_columns_px=40))
    assert numbers[::20, ::40].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_small_glacier_calibrates_whole_or_not_at_all() -> None:
    roles = np.full((60, 90), TRAIN, dtype=np.uint8)
    roles[:, :60] = VALIDATION
    roles[50:, 60:70] = VALIDATION  # of a small glacier, taken from the training
    in_fold, second = np.zeros((60, 90), dtype=bool), np.zeros((60, 90), dtype=bool)
    in_fold[:, :60] = second[:, 30:60] = True
    ids = np.zeros((60, 90), dtype=np.uint16)
    ids[0:5, 27:37] = 1  # 3 columns stop, 7 calibrate
    ids[10:15, 25:35] = 2  # as many here as there
    ids[20:40, 0:60] = 3  # larger than a block
    ids[50:60, 50:70] = 4  # calibrates, and lies half outside of the fold
    ids[42:50, 5:55] = 5  # 25 columns each, and as large as a block: stops whole
    new_roles = deal_to_calibration(roles, ids, in_fold, second, largest_px=400)
    assert (new_roles[ids == 1] == CALIBRATION).all()
    assert (new_roles[ids == 2] == VALIDATION).all()
    assert (new_roles[20:40, :30] == VALIDATION).all() and (new_roles[20:40, 30:60] == CALIBRATION).all()
    assert (new_roles[ids == 4] == CALIBRATION).all()
    assert (new_roles[ids == 5] == VALIDATION).all()
    assert (new_roles[:, 70:] == TRAIN).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_dealing_touches_nothing_but_validation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    roles = rng.choice([TRAIN, VALIDATION, TEST, BUFFER, OUTSIDE], (12, 16)).astype(np.uint8)
    ids = rng.integers(0, 5, roles.shape).astype(np.uint16)
    in_fold = rng.random(roles.shape) < 0.5
    second = every_second(in_fold, params(block_rows_px=8, block_columns_px=8))
    new_roles = deal_to_calibration(roles, ids, in_fold, second, largest_px=40)
    changed = new_roles != roles
    assert (roles[changed] == VALIDATION).all() and (new_roles[changed] == CALIBRATION).all()
    assert not changed[(ids == 0) & ~second].any()


@pytest.mark.parametrize("buffer_px", [0, 5, 32])
def test_the_buffer_keeps_its_distance(buffer_px: int) -> None:
    roles = np.full((40, 100), TRAIN, dtype=np.uint8)
    roles[:, 50:] = VALIDATION
    buffered = add_buffer(roles, buffer_px)
    assert (buffered[:, 50 - buffer_px : 50] == BUFFER).all()
    assert (buffered[:, : 50 - buffer_px] == TRAIN).all()
    assert (buffered[:, 50:] == VALIDATION).all()


@pytest.mark.parametrize("held_out_row", [0, 480, 511, 512, 530, 700])
def test_the_buffer_does_not_show_where_strips_meet(held_out_row: int) -> None:
    roles = np.full((1100, 60), TRAIN, dtype=np.uint8)
    roles[held_out_row, 20], roles[1099, 0] = TEST, VALIDATION
    near = distance_transform_edt(roles == TRAIN) <= 40
    assert (add_buffer(roles, 40) == np.where(near & (roles == TRAIN), BUFFER, roles)).all()


def test_without_held_out_pixels_there_is_no_buffer() -> None:
    roles = np.full((40, 100), TRAIN, dtype=np.uint8)
    assert (add_buffer(roles, 5) == TRAIN).all()


def test_outside_the_aoi_has_its_own_role() -> None:
    aoi = np.ones((64, 80), dtype=bool)
    aoi[:, :7] = False
    roles = pixel_roles(np.zeros((64, 80), dtype=np.uint16), aoi, params())
    assert (roles[:, :7] == OUTSIDE).all()
    assert not (roles[:, 7:] == OUTSIDE).any()
