"""Boundaries of maps: known answers, and the same pixels as by morphology."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion

from stages.evaluate.boundaries import boundary_pixels, measure_boundaries
from stages.evaluate.planes import ROWS_AT_ONCE


@settings(max_examples=60)
@given(mask=arrays(np.bool_, (7, 9)))
def test_boundary_pixels_have_a_neighbour_of_background(mask: np.ndarray) -> None:
    rows, columns = boundary_pixels(mask)
    expected = np.nonzero(mask & ~binary_erosion(mask, border_value=1))
    assert (rows.tolist(), columns.tolist()) == (expected[0].tolist(), expected[1].tolist())


def test_strips_do_not_show_in_a_boundary() -> None:
    mask = np.random.default_rng(0).random((2 * ROWS_AT_ONCE + 1, 30)) < 0.9
    rows, columns = boundary_pixels(mask)
    assert (np.stack((rows, columns)) == np.nonzero(mask & ~binary_erosion(mask, border_value=1))).all()


def test_distances_by_zone() -> None:
    """Edges in columns 4 and 6: two pixels apart; the lower half has none."""
    mapped, truth = np.zeros((8, 10), dtype=bool), np.zeros((8, 10), dtype=bool)
    mapped[:4, :5], truth[:4, :7] = True, True
    zone = np.full((8, 10), -1)
    zone[:2], zone[5:] = 0, 1  # the rows between hold corners
    within = zone >= 0
    boundaries = measure_boundaries(mapped, truth, within)
    assert boundaries.mean_distances_m(zone, 10.0, count=2) == [20.0, None]
    assert measure_boundaries(mapped, np.ones_like(truth), within).mean_distances_m(zone, 10.0, count=2) == [None] * 2
