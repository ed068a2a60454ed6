"""What is nearest: the same bits as from planes of the whole scene."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from stages.common.geo.planes import Bits, Plane
from stages.evaluate.boundaries import boundary_pixels
from stages.evaluate.nearest import distances_px, nearest_glacier


@pytest.mark.parametrize("tree_pixels", [2**20, 700])
@pytest.mark.parametrize("share", [0.5, 0.02, 0.0005])
def test_distances_are_those_of_a_distance_transform_to_the_last_bit(share: float, tree_pixels: int) -> None:
    rng = np.random.default_rng(1)
    pixels, targets = rng.random((300, 400)) < 0.1, rng.random((300, 400)) < share
    measured = distances_px(np.nonzero(pixels), np.nonzero(targets), tree_pixels=tree_pixels)
    assert (measured == distance_transform_edt(~targets)[pixels]).all()


def test_no_pixel_has_no_distance() -> None:
    nothing = np.zeros((3, 4), dtype=bool)
    assert len(distances_px(np.nonzero(nothing), np.nonzero(~nothing))) == 0


def nearest(ids: np.ndarray, where: np.ndarray) -> np.ndarray:
    return nearest_glacier(Plane.of(None, ids), boundary_pixels(Bits.of(ids > 0)), where=Bits.of(where))[:]


def of_the_whole(ids: np.ndarray, where: np.ndarray) -> np.ndarray:
    """By a distance transform, which of targets at the same distance takes that in the first column, and first row."""
    rows, columns = distance_transform_edt(ids == 0, return_distances=False, return_indices=True)
    return np.where(where & ids.any(), ids[rows, columns], 0)


@settings(max_examples=150)
@given(ids=arrays(np.uint16, (14, 17), elements=st.integers(0, 3), fill=st.just(0)), where=arrays(np.bool_, (14, 17)))
def test_the_nearest_glacier_is_that_of_the_whole_also_between_glaciers_at_one_distance(
    ids: np.ndarray, where: np.ndarray
) -> None:
    assert (nearest(ids, where) == of_the_whole(ids, where)).all()


def test_glaciers_near_and_far_on_a_scene_of_many_strips() -> None:
    """Two small glaciers in a corner, mirror images of each other: on the diagonal both are at one distance."""
    ids = np.zeros((1300, 1300), dtype=np.uint16)
    ids[20:60, 100:130], ids[100:130, 20:60] = 1, 2
    where = np.random.default_rng(2).random(ids.shape) < 0.1
    where |= np.eye(1300, dtype=bool)
    assert (nearest(ids, where) == of_the_whole(ids, where)).all()


@pytest.mark.parametrize("pixels", [0, 1])
def test_with_one_pixel_of_ice_it_is_nearest_and_with_none_none_is(pixels: int) -> None:
    ids = np.zeros((5, 6), dtype=np.uint16)
    ids[2, 3] = 7 * pixels
    assert (nearest(ids, ids < 9) == 7 * pixels).all()
