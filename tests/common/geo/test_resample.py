from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from stages.common.geo.grid import Grid
from stages.common.geo.resample import resample_nearest

SOURCE = Grid("EPSG:32644", Affine(20, 0, 350_000, 0, -20, 3_420_000), 2, 2)
TARGET = Grid("EPSG:32644", Affine(10, 0, 350_000, 0, -10, 3_420_000), 4, 6)


@pytest.mark.parametrize(("dtype", "outside"), [("uint8", 255), ("float32", np.nan)])
def test_each_pixel_takes_the_value_it_lies_in(dtype: str, outside: float) -> None:
    resampled = resample_nearest(np.array([[1, 2], [3, 4]], dtype=dtype), SOURCE, TARGET, outside=outside)
    rows = [[1, 1, 2, 2, outside, outside]] * 2 + [[3, 3, 4, 4, outside, outside]] * 2
    np.testing.assert_array_equal(resampled, np.array(rows, dtype=dtype))


def test_a_gap_stays_a_gap_and_a_value_like_outside_is_kept() -> None:
    pixels = np.array([[np.nan, 2], [3, 4]], dtype=np.float32)
    resampled = resample_nearest(pixels, SOURCE, TARGET, outside=2.0)
    assert np.isnan(resampled[:2, :2]).all()
    assert (resampled[:2, 2:] == 2).all()


def test_another_crs_is_followed() -> None:
    """The same ground in the next zone, whose pixels are turned: each pixel shows the column that it lies in."""
    columns, rows = np.meshgrid(np.arange(TARGET.width) + 0.5, np.arange(TARGET.height) + 0.5)
    x, y = Transformer.from_crs("EPSG:32644", "EPSG:32645", always_xy=True).transform(
        *(TARGET.transform @ (columns, rows))
    )
    far = Grid("EPSG:32645", Affine(5, 0, x.min() - 50, 0, -5, y.max() + 50), 60, 60)
    pixels = np.tile(np.arange(far.width, dtype=np.float32), (far.height, 1))
    resampled = resample_nearest(pixels, far, TARGET, outside=-1.0)
    assert np.abs(resampled + 0.5 - (x - far.transform.c) / 5).max() < 0.52
