"""Areas that each map hits and maps beyond in a block, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from versions.compare.blocks import STEP, ComparableBlocks, block_areas
from versions.compare.difference import BOTH, NEITHER, ONLY_A, ONLY_B, UNSEEN


def test_a_block_is_counted_in_km2_where_both_observed() -> None:
    classes = np.array([[ONLY_A, ONLY_B, BOTH, NEITHER], [UNSEEN, ONLY_A, ONLY_B, BOTH]], dtype=np.uint8)
    labelled = np.array([[True, True, True, True], [True, False, False, False]])
    number = np.array([[0, 0, 1, 1], [0, 0, 1, 1]]) + 3 * STEP
    blocks = ComparableBlocks(pixels=np.ones((2, 4), dtype=bool), number=number, left_out=0, unknown="")
    first, second = block_areas(classes, labelled, blocks, np.full((2, 4), 0.25))
    assert (first.row, first.column, second.column) == (3, 0, 1)
    assert (first.a_hit_km2, first.a_false_km2, first.b_hit_km2, first.b_false_km2) == pytest.approx(
        (0.25, 0.25, 0.25, 0)
    )
    assert first.labelled_km2 == pytest.approx(0.5)
    assert (second.a_hit_km2, second.a_false_km2) == pytest.approx((0.25, 0.25))
    assert (second.b_hit_km2, second.b_false_km2) == pytest.approx((0.25, 0.5))
    assert second.labelled_km2 == pytest.approx(0.5)


def test_pixels_that_are_not_held_out_count_for_nothing() -> None:
    classes = np.full((2, 2), BOTH, dtype=np.uint8)
    pixels = np.array([[True, False], [False, False]])
    blocks = ComparableBlocks(pixels=pixels, number=np.zeros((2, 2), dtype=np.int64), left_out=0, unknown="")
    (only,) = block_areas(classes, np.ones((2, 2), dtype=bool), blocks, np.ones((2, 2)))
    assert only.labelled_km2 == only.a_hit_km2 == only.b_hit_km2 == 1
