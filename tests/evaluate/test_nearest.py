"""What is nearest: the same bits as from planes of the whole scene."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from stages.evaluate.nearest import distances_px, nearest_glacier


@pytest.mark.parametrize("share", [0.5, 0.02, 0.0005])
def test_distances_are_those_of_a_distance_transform_to_the_last_bit(share: float) -> None:
    rng = np.random.default_rng(1)
    pixels, targets = rng.random((300, 400)) < 0.1, rng.random((300, 400)) < share
    assert (distances_px(pixels, targets) == distance_transform_edt(~targets)[pixels]).all()


def test_no_pixel_has_no_distance() -> None:
    nothing = np.zeros((3, 4), dtype=bool)
    assert len(distances_px(nothing, ~nothing)) == 0


def test_strips_do_not_show_in_the_nearest_glacier() -> None:
    rng = np.random.default_rng(2)
    ids = np.where(rng.random((1200, 50)) < 0.01, rng.integers(1, 40, (1200, 50)), 0).astype(np.uint16)
    _, (rows, columns) = distance_transform_edt(ids == 0, return_indices=True)
    assert (nearest_glacier(ids) == ids[rows, columns]).all()
