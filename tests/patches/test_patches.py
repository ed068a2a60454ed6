"""The spatial split and the patches cut from it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.model.histograms import band_counts
from stages.common.model.split import (
    BUFFER,
    CALIBRATION,
    OUTSIDE,
    TEST,
    TRAIN,
    VALIDATION,
    block_folds,
    block_numbers,
    check_no_leak,
)
from stages.common.params.learning import PatchesParams
from stages.common.run.outputs import write_arrays
from stages.common.tables.kinds import IGNORE, ROLES
from stages.patches.cut import patch_arrays, split_map
from stages.patches.roles import add_buffer, deal_to_calibration, every_second, hold_out_small_glaciers, pixel_roles
from stages.patches.statistics import sum_pixels
from stages.patches.windows import Scene, cut, origins, positions


def params(**changes: object) -> PatchesParams:
    base = {"size_px": 32, "margin_px": 8, "stride_px": 16, "block_rows_px": 32, "block_columns_px": 40, "buffer_px": 4}
    return PatchesParams.model_validate(base | changes)


def cut_whole(pixels: np.ndarray, *arguments: Any, use: str) -> dict[str, np.ndarray]:
    """The arrays of all patches of (H, W, C) pixels."""
    return cut(Scene.of(pixels), *arguments, use=use).in_memory()


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
    second = every_second(rng.integers(0, 6, roles.shape), in_fold)
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


@given(length=st.integers(1, 500), size=st.integers(1, 200), stride=st.integers(1, 200))
def test_windows_reach_both_edges(length: int, size: int, stride: int) -> None:
    starts = origins(length, size, stride)
    assert starts[0] == 0
    assert starts[-1] + size == max(length, size)
    assert all(0 < second - first <= stride for first, second in pairwise(starts))


def test_windows_run_row_by_row_over_both_axes() -> None:
    """A scene taller than wide, and one wider than tall."""
    tall = [(0, 0), (0, 10), (15, 0), (15, 10), (30, 0), (30, 10)]
    assert list(positions((50, 30), 20, 15)) == tall
    assert list(positions((30, 50), 20, 15)) == sorted((column, row) for row, column in tall)


@pytest.fixture(scope="module")
def site() -> dict[str, np.ndarray]:
    """A scene whose pixels are all different from 0."""
    rng = np.random.default_rng(3)
    shape = (150, 170)
    ids = np.zeros(shape, dtype=np.uint16)
    ids[20:70, 30:120] = 1
    ids[100:110, 100:110] = 2
    glacier = (ids > 0).astype(np.uint8)
    glacier[20:22] = IGNORE
    valid = np.ones(shape, dtype=bool)
    valid[140:, :20] = False
    scene = rng.integers(1, 255, (*shape, 3), dtype=np.uint8)
    return {"scene": scene, "valid": valid, "glacier": glacier, "ids": ids}


@pytest.mark.parametrize("use", ["train", "validation", "calibration"])
@pytest.mark.parametrize("buffer_px", [0, 8])
def test_patches_are_proven_leak_free(site: dict[str, np.ndarray], use: str, buffer_px: int) -> None:
    chosen = params(buffer_px=buffer_px)
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut_whole(site["scene"], site["valid"], site["glacier"], roles, chosen, use=use)
    assert len(patches["row"]) > 0
    check_no_leak(patches, roles, use=use, where=Path("x"))


def test_every_training_label_is_taught_and_every_validation_label_counts_once(site: dict[str, np.ndarray]) -> None:
    chosen = params(buffer_px=0)
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    for use, role in (("train", TRAIN), ("validation", VALIDATION), ("calibration", CALIBRATION)):
        patches = cut_whole(site["scene"], site["valid"], site["glacier"], roles, chosen, use=use)
        times_labelled = np.zeros(roles.shape, dtype=int)
        for label, row, column in zip(patches["label"], patches["row"], patches["column"], strict=True):
            rows, columns = np.nonzero(label != IGNORE)
            np.add.at(times_labelled, (rows + row, columns + column), 1)
        expected = (roles == role) & site["valid"] & (site["glacier"] != IGNORE)
        assert (times_labelled[~expected] == 0).all()
        assert (times_labelled[expected] >= 1).mean() > 0.99  # slivers below the least labelled fraction are left out
        if use != "train":
            assert times_labelled.max() == 1


def test_a_split_without_calibration_gives_no_patches_of_the_right_shape(site: dict[str, np.ndarray]) -> None:
    chosen = params()
    roles = np.full(site["ids"].shape, TRAIN, dtype=np.uint8)
    patches = cut_whole(site["scene"], site["valid"], site["glacier"], roles, chosen, use="calibration")
    size = chosen.full_size_px
    assert patches["image"].shape == (0, size, size, site["scene"].shape[2])
    assert patches["label"].shape == patches["visible"].shape == (0, size, size)
    assert patches["row"].dtype == patches["column"].dtype == np.int32


def test_patches_without_glacier_are_kept(site: dict[str, np.ndarray]) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut_whole(site["scene"], site["valid"], site["glacier"], roles, chosen, use="train")
    assert (~(patches["label"] == 1).any(axis=(1, 2))).any()


@pytest.mark.parametrize(
    ("use", "role", "starts"), [("train", TRAIN, [0, 16, 32]), ("validation", VALIDATION, [0, 32])]
)
def test_windows_overlap_in_training_alone(use: str, role: int, starts: list[int]) -> None:
    shape, margin = (64, 64), params().margin_px
    roles, valid = np.full(shape, role, dtype=np.uint8), np.ones(shape, dtype=bool)
    arrays = cut_whole(np.ones((*shape, 1), dtype=np.uint8), valid, np.ones(shape, np.uint8), roles, params(), use=use)
    corners = list(zip(arrays["row"] + margin, arrays["column"] + margin, strict=True))
    assert corners == [(row, column) for row in starts for column in starts]


@pytest.mark.parametrize(("labelled_px", "patches"), [(51, 0), (52, 1)], ids=["4.98 %", "5.08 %"])
def test_a_patch_with_hardly_a_label_is_left_out(labelled_px: int, patches: int) -> None:
    """A scene of one window, 32 x 32 px."""
    chosen, shape = params(), (32, 32)
    glacier = np.full(shape, IGNORE, dtype=np.uint8)
    glacier.flat[:labelled_px] = 1
    roles, valid = np.full(shape, TRAIN, dtype=np.uint8), np.ones(shape, dtype=bool)
    arrays = cut_whole(np.ones((*shape, 1), dtype=np.uint8), valid, glacier, roles, chosen, use="train")
    assert len(arrays["label"]) == patches


def test_what_is_hidden_is_zero_and_what_is_shown_is_the_scene(site: dict[str, np.ndarray]) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut_whole(site["scene"], site["valid"], site["glacier"], roles, chosen, use="train")
    for image, visible, row, column in zip(*(patches[k] for k in ("image", "visible", "row", "column")), strict=True):
        rows, columns = np.nonzero(visible)
        assert (image[rows, columns] == site["scene"][rows + row, columns + column]).all()
        assert not image[visible == 0].any()


def test_the_written_file_is_that_of_the_patches_in_memory(site: dict[str, np.ndarray], tmp_path: Path) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    for use in ("train", "validation", "calibration"):
        patches = cut(Scene.of(site["scene"]), site["valid"], site["glacier"], roles, chosen, use=use)
        write_arrays(tmp_path / "parts.npz", patch_arrays(patches, roles, use=use, where=tmp_path))
        write_arrays(tmp_path / "whole.npz", patches.in_memory())
        assert (tmp_path / "parts.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_a_patch_that_leaks_is_not_written(site: dict[str, np.ndarray], tmp_path: Path) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut(Scene.of(site["scene"]), site["valid"], site["glacier"], roles, chosen, use="train")
    tested = np.full_like(roles, TEST)
    with pytest.raises(ContractError, match="a train patch shows imagery of held-out pixels"):
        write_arrays(tmp_path / "train.npz", patch_arrays(patches, tested, use="train", where=tmp_path / "train.npz"))


def test_a_scene_is_read_downwards_once_for_each_use(site: dict[str, np.ndarray]) -> None:
    """Strips of windows in a row of the scene, and no strip twice."""
    chosen, asked = params(), []
    whole = Scene.of(site["scene"])

    def read(start: int, stop: int) -> np.ndarray:
        asked.append((start, stop))
        return whole.read_rows(start, stop)

    roles = np.full(site["ids"].shape, TRAIN, dtype=np.uint8)
    scene = replace(whole, read_rows=read)
    list(cut(scene, site["valid"], site["glacier"], roles, chosen, use="train").images())
    assert asked == sorted(set(asked)) and max(stop - start for start, stop in asked) == chosen.full_size_px


@pytest.mark.parametrize("height", [2, 600, 1100])
def test_statistics_are_those_of_the_pixels_that_are_asked_for(height: int) -> None:
    rng = np.random.default_rng(height)
    pixels = rng.integers(0, 65535, (height, 7, 2)).astype(np.uint16)
    where = rng.random((height, 7)) < 0.7
    sums = sum_pixels(Scene.of(pixels), where)
    mean, std = sums.statistics(scale=0.5, offset=-1.0)
    assert mean == pytest.approx(pixels[where].mean(axis=0) * 0.5 - 1, abs=1e-6)
    assert std == pytest.approx(pixels[where].std(axis=0) * 0.5, abs=1e-6)
    assert (sums.histogram == band_counts(pixels[where])).all() and sums.pixels == where.sum()


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_map_of_the_split_covers_the_grid(seed: int) -> None:
    roles = np.random.default_rng(seed).integers(0, 4, (6, 8)).astype(np.uint8)
    grid = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 6, 8)
    features = split_map(roles, grid)["features"]
    assert {feature["properties"]["role"] for feature in features} == {ROLES[value] for value in np.unique(roles)}
