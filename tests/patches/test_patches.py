"""The spatial split and the patches cut from it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.common.grid import Grid
from stages.common.kinds import IGNORE, ROLES
from stages.common.params_learning import PatchesParams
from stages.common.split import BUFFER, OUTSIDE, TEST, TRAIN, VALIDATION, check_no_leak
from stages.patches.cut import band_statistics, split_map
from stages.patches.roles import add_buffer, block_folds, hold_out_small_glaciers, pixel_roles
from stages.patches.windows import cut, origins


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
    held = hold_out_small_glaciers(roles, ids, largest_px=400)
    assert (held[ids == 1] == TEST).all()
    assert (held[10:20, 30:35] == TRAIN).all()
    assert (held[30:40, 30:40] == TRAIN).all() and (held[30:40, 40:43] == TEST).all()
    assert (held[45:58, 20:40] == TRAIN).all()


@pytest.mark.parametrize("buffer_px", [0, 5, 32])
def test_the_buffer_keeps_its_distance(buffer_px: int) -> None:
    roles = np.full((40, 100), TRAIN, dtype=np.uint8)
    roles[:, 50:] = VALIDATION
    buffered = add_buffer(roles, buffer_px)
    assert (buffered[:, 50 - buffer_px : 50] == BUFFER).all()
    assert (buffered[:, : 50 - buffer_px] == TRAIN).all()
    assert (buffered[:, 50:] == VALIDATION).all()


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
    patches = cut(site["scene"], site["valid"], site["glacier"], roles, chosen, use=use)
    assert len(patches["row"]) > 0
    check_no_leak(patches, roles, use=use, where=Path("x"))


def test_every_training_label_is_taught_and_every_validation_label_counts_once(site: dict[str, np.ndarray]) -> None:
    chosen = params(buffer_px=0)
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    for use, role in (("train", TRAIN), ("validation", VALIDATION)):
        patches = cut(site["scene"], site["valid"], site["glacier"], roles, chosen, use=use)
        seen = np.zeros(roles.shape, dtype=int)
        for label, row, column in zip(patches["label"], patches["row"], patches["column"], strict=True):
            rows, columns = np.nonzero(label != IGNORE)
            np.add.at(seen, (rows + row, columns + column), 1)
        wanted = (roles == role) & site["valid"] & (site["glacier"] != IGNORE)
        assert (seen[~wanted] == 0).all()
        assert (seen[wanted] >= 1).mean() > 0.99  # slivers below the least labelled fraction are left out
        if use == "validation":
            assert seen.max() == 1


def test_patches_without_glacier_are_kept(site: dict[str, np.ndarray]) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut(site["scene"], site["valid"], site["glacier"], roles, chosen, use="train")
    assert (~(patches["label"] == 1).any(axis=(1, 2))).any()


def test_what_is_hidden_is_zero_and_what_is_shown_is_the_scene(site: dict[str, np.ndarray]) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut(site["scene"], site["valid"], site["glacier"], roles, chosen, use="train")
    for image, visible, row, column in zip(*(patches[k] for k in ("image", "visible", "row", "column")), strict=True):
        rows, columns = np.nonzero(visible)
        assert (image[rows, columns] == site["scene"][rows + row, columns + column]).all()
        assert not image[visible == 0].any()


def test_statistics_see_the_training_part_only() -> None:
    pixels = np.array([[0, 10], [10, 30]], dtype=np.uint16)
    mean, std = band_statistics(pixels, scale=0.5, offset=-1.0)
    assert mean == [1.5, 9.0]
    assert std == [2.5, 5.0]


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_map_of_the_split_covers_the_grid(seed: int) -> None:
    roles = np.random.default_rng(seed).integers(0, 4, (6, 8)).astype(np.uint8)
    grid = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 6, 8)
    features = split_map(roles, grid)["features"]
    assert {one["properties"]["role"] for one in features} == {ROLES[value] for value in np.unique(roles)}
