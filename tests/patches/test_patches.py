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

from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.model.histograms import band_counts
from stages.common.model.split import (
    CALIBRATION,
    TEST,
    TRAIN,
    VALIDATION,
    check_no_leak,
)
from stages.common.params.learning import PatchesParams
from stages.common.run.outputs import write_arrays
from stages.common.tables.kinds import IGNORE, ROLES
from stages.patches.cut import patch_arrays, split_map
from stages.patches.roles import pixel_roles
from stages.patches.statistics import sum_pixels
from stages.patches.windows import Scene, block_positions, cut, origins, positions


def params(**changes: object) -> PatchesParams:
    base = {"size_px": 32, "margin_px": 8, "stride_px": 16, "block_rows_px": 32, "block_columns_px": 40, "buffer_px": 4}
    return PatchesParams.model_validate(base | changes)


def cut_whole(pixels: np.ndarray, *arguments: Any, use: str) -> dict[str, np.ndarray]:
    """The arrays of all patches of (H, W, C) pixels."""
    return cut(Scene.of(pixels), *arguments, use=use).in_memory()


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
    size = chosen.held_out_size_px + 2 * chosen.margin_px
    assert patches["image"].shape == (0, size, size, site["scene"].shape[2])
    assert patches["label"].shape == patches["visible"].shape == (0, size, size)
    assert patches["row"].dtype == patches["column"].dtype == np.int32


def test_patches_without_glacier_are_kept(site: dict[str, np.ndarray]) -> None:
    chosen = params()
    roles = pixel_roles(site["ids"], np.ones(site["ids"].shape, dtype=bool), chosen)
    patches = cut_whole(site["scene"], site["valid"], site["glacier"], roles, chosen, use="train")
    assert (~(patches["label"] == 1).any(axis=(1, 2))).any()


@pytest.mark.parametrize(
    ("use", "role", "rows", "columns"),
    [("train", TRAIN, [0, 16, 32], [0, 16, 32]), ("validation", VALIDATION, [0, 32], [0, 40])],
)
def test_windows_overlap_in_training_and_are_blocks_elsewhere(
    use: str, role: int, rows: list[int], columns: list[int]
) -> None:
    """Blocks of 32 x 40 px."""
    shape, margin = (64, 64), params().margin_px
    roles, valid = np.full(shape, role, dtype=np.uint8), np.ones(shape, dtype=bool)
    arrays = cut_whole(np.ones((*shape, 1), dtype=np.uint8), valid, np.ones(shape, np.uint8), roles, params(), use=use)
    corners = list(zip(arrays["row"] + margin, arrays["column"] + margin, strict=True))
    assert corners == [(row, column) for row in rows for column in columns]


@given(
    length=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    block=st.tuples(st.integers(8, 90), st.integers(8, 90)),
    largest=st.integers(16, 64),
)
def test_windows_of_blocks_cover_the_grid_and_no_block_needs_a_part_of_another(
    length: tuple[int, int], block: tuple[int, int], largest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stages.common.params.learning.HELD_OUT_MAX_PX", largest)
        chosen = params(block_rows_px=block[0], block_columns_px=block[1])
        size, starts = chosen.held_out_size_px, list(block_positions(length, chosen))
    seen = np.zeros(length, dtype=bool)
    for row, column in starts:
        seen[row : row + size, column : column + size] = True
        assert row < length[0] and column < length[1]
    assert seen.all()
    assert {(row // block[0], column // block[1]) for row, column in starts} == {
        (row // block[0], column // block[1]) for row in range(length[0]) for column in range(length[1])
    }


@pytest.mark.parametrize(
    ("blocks", "size"), [((320, 320), 320), ((131, 160), 192), ((1000, 700), 512), ((1100, 30), 384), ((40, 40), 64)]
)
def test_a_held_out_window_is_a_block_or_an_equal_part_that_the_net_can_take(
    blocks: tuple[int, int], size: int
) -> None:
    chosen = params(size_px=256, margin_px=32, block_rows_px=blocks[0], block_columns_px=blocks[1])
    assert chosen.held_out_size_px == size


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
