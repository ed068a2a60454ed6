"""What is nearest to each pixel, and how far: exact, without planes of distances of a whole scene."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from stages.common.geo.rows import look_up
from stages.common.types import BoolArray, Float64Array, UInt16Array


def nearest_glacier(ids: UInt16Array) -> UInt16Array:
    """Return (H, W): the glacier whose outline is nearest to each pixel (its own inside an outline)."""
    return look_up(ids, *distance_transform_edt(ids == 0, return_distances=False, return_indices=True))


def distances_px(pixels: BoolArray, targets: BoolArray) -> Float64Array:
    """Return the distance (N,) of each of `pixels` to the nearest of `targets`, both (H, W), in the order of rows.

    Squares of such distances are whole numbers, so each is the square root of the same number as in a distance
    transform of the whole plane, to the last bit.
    """
    distance, _ = cKDTree(np.argwhere(targets)).query(np.argwhere(pixels))
    return np.asarray(distance, dtype=np.float64)
