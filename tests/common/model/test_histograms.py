"""Known answers of the population stability index, and laws that it keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.model.histograms import (
    GROUPS,
    band_counts,
    band_reference,
    grouped,
    level_counts,
    stability_index,
)


def test_each_8_bit_level_has_a_bin_and_reflectance_is_binned_by_half_a_per_cent():
    assert band_counts(np.array([[0], [255], [255]], dtype=np.uint8))[0][[0, 255]].tolist() == [1, 2]
    dn = np.array([[49, 0], [50, 15_999], [100, 65_535]], dtype=np.uint16)
    counts = band_counts(dn)
    assert np.flatnonzero(counts[0]).tolist() == [0, 1, 2]
    assert (counts[1][0], counts[1][319]) == (1, 2), "what is brighter than all bins is in the last"


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@given(seed=st.integers(0, 99), count=st.integers(0, 300))
def test_counts_of_numbers_in_groups_are_the_counts_of_bins(dtype: str, seed: int, count: int) -> None:
    most = np.iinfo(dtype).max
    raw = np.random.default_rng(seed).integers(0, most, (count, 2), dtype=dtype, endpoint=True)
    raw[:2] = np.array([[0, most], [most, 0]])[:count]
    levels = level_counts(raw)
    assert np.array_equal(grouped(levels, dtype), band_counts(raw))
    assert np.array_equal(levels @ np.arange(most + 1), raw.sum(axis=0, dtype=np.int64))


def test_groups_are_tenths_of_the_training_pixels():
    ten = band_reference(np.ones(100, dtype=np.int64), mean=0, std=1)
    assert ten.starts == list(range(10, 100, 10))
    assert ten.shares == [0.1] * 10


def test_a_level_that_holds_most_pixels_is_one_group():
    counts = np.array([0, 1, 8, 0, 1], dtype=np.int64)
    groups = band_reference(counts, mean=0, std=1)
    assert (groups.starts, groups.shares) == ([2, 3], [0.1, 0.8, 0.1])


def test_saturated_pixels_in_the_last_bin_need_no_group_behind_them():
    groups = band_reference(np.array([1, 0, 0, 9], dtype=np.int64), mean=0, std=1)
    assert (groups.starts, groups.shares) == ([1], [0.1, 0.9])


def test_shares_have_six_decimals():
    assert band_reference(np.array([1, 1, 1], dtype=np.int64), mean=0, std=1).shares == [0.333333] * 3


@pytest.mark.parametrize(
    ("counts", "index"),
    [
        pytest.param([50, 50], 0.0, id="alike"),
        pytest.param([5, 5], 0.0, id="fewer pixels, alike"),
        pytest.param([75, 25], 0.25 * math.log(3), id="three quarters"),
        pytest.param([100, 0], (1 - 0.5) * math.log(2) + (1e-4 - 0.5) * math.log(1e-4 / 0.5), id="an empty group"),
    ],
)
def test_known_answers(counts, index):
    halves = band_reference(np.array([50, 50], dtype=np.int64), mean=0, std=1)
    assert stability_index(np.array(counts, dtype=np.int64), halves) == pytest.approx(index, abs=1e-12)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60).filter(any), st.data())
def test_never_negative_and_zero_against_itself(counts, data):
    histogram = np.array(counts, dtype=np.int64)
    expected = band_reference(histogram, mean=0, std=1)
    assert len(expected.shares) == len(expected.starts) + 1 <= GROUPS
    assert stability_index(histogram, expected) == pytest.approx(0, abs=1e-4)  # shares are kept to six decimals
    another = data.draw(st.lists(st.integers(0, 1000), min_size=len(histogram), max_size=len(histogram)).filter(any))
    assert stability_index(np.array(another, dtype=np.int64), expected) >= -1e-9
