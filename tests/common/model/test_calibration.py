from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.model.calibration import expected_calibration_error, reliability_bins


def test_bins_hold_means_and_empty_ones_are_left_out() -> None:
    low, high = reliability_bins(np.array([0.05, 0.07, 1.0, 0.9]), np.array([True, False, True, True]))
    assert (low.probability, low.observed_fraction, low.pixels) == pytest.approx((0.06, 0.5, 2))
    assert (high.probability, high.observed_fraction, high.pixels) == pytest.approx((0.95, 1.0, 2))


def test_known_answer() -> None:
    probability = np.array([0.95, 0.95, 0.05, 0.05])
    bins = reliability_bins(probability, np.array([True, True, False, True]))
    assert expected_calibration_error(bins) == pytest.approx(0.25)


def test_without_a_pixel_there_is_no_error() -> None:
    assert expected_calibration_error(reliability_bins(np.empty(0), np.empty(0, dtype=bool))) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_it_is_the_distance_summed_by_bin(pixels: list[tuple[float, bool]]) -> None:
    """The formula that training used: the sum of p - y in each bin."""
    probability, glacier = np.array([p for p, _ in pixels]), np.array([y for _, y in pixels])
    bins = np.minimum((probability * 10).astype(int), 9)
    expected = np.abs(np.bincount(bins, probability - glacier, 10)).sum() / len(pixels)
    assert expected_calibration_error(reliability_bins(probability, glacier)) == pytest.approx(expected, abs=1e-12)
