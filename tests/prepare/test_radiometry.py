"""DN to reflectance and into storage."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stages.common.errors import InputError
from stages.common.geo.raster import pixels_with_data
from stages.common.scene.harmonise import Calibration, calibration_of, to_physical
from stages.common.scene.scene import Band, Scene, SceneInfo
from stages.prepare.radiometry import (
    check_clipped,
    check_storage,
    to_storage,
)

NEWER = Calibration(scale=1e-4, offset=-0.1)
OLDER = Calibration(scale=1e-4, offset=0.0)
ALL_DN = np.arange(65536, dtype="uint16").reshape(256, 256)


def scene(dtype: str = "uint8", scale: float = 1.0, offset: float = 0.0) -> Scene:
    band = Band(path=Path("red.tif"), dtype=dtype, nodata=None, scale=scale, offset=offset)
    return Scene(info=SceneInfo(id="a", year=2020, acquired=None, product="a.tif"), bands={"red": band})


def test_every_dn_of_the_newer_convention_is_stored_as_it_is() -> None:
    has_data = pixels_with_data(ALL_DN, 0)
    stored, clipped = to_storage(to_physical(ALL_DN, has_data, NEWER), has_data, "sentinel2")
    assert stored.dtype == np.uint16
    assert (stored == ALL_DN).all()
    assert clipped == 0


def test_older_dn_move_by_a_thousand() -> None:
    dn = np.array([[1, 500, 9999, 64535, 65000]], dtype="uint16")
    has_data = pixels_with_data(dn, 0)
    stored, clipped = to_storage(to_physical(dn, has_data, OLDER), has_data, "sentinel2")
    assert stored.tolist() == [[1001, 1500, 10999, 65535, 65535]]
    assert clipped == 1


def test_nodata_is_tested_before_the_offset() -> None:
    """DN 1000 is reflectance 0 and data; DN 0 is none, though -0.1 would be a number."""
    dn = np.array([[0, 1000, 900]], dtype="uint16")
    has_data = pixels_with_data(dn, 0)
    reflectance = to_physical(dn, has_data, NEWER)
    assert np.isnan(reflectance[0, 0])
    assert reflectance[0, 1] == pytest.approx(0, abs=1e-7)
    assert reflectance[0, 2] == pytest.approx(-0.01)  # slightly negative is real
    assert to_storage(reflectance, has_data, "sentinel2")[0].tolist() == [[0, 1000, 900]]


def test_a_valid_pixel_never_becomes_nodata() -> None:
    values = np.array([[-0.5, -0.1, -0.09999, 0.0, 9.0]], dtype="float32")
    stored, clipped = to_storage(values, np.ones((1, 5), bool), "sentinel2")
    assert stored.tolist() == [[1, 1, 1, 1000, 65535]]
    assert clipped == 4  # -0.1 is DN 0, which is taken; -0.09999 rounds to it


@given(
    values=arrays.arrays(np.float32, (5, 7), elements=st.floats(-1, 9, width=32)),
    observed=arrays.arrays(np.bool_, (5, 7)),
    storage=st.sampled_from(["sentinel2", "rgb8"]),
)
def test_stored_pixels_are_nodata_only_where_nothing_was_seen(
    values: np.ndarray, observed: np.ndarray, storage: str
) -> None:
    hidden = np.where(observed, values, np.nan).astype("float32")
    stored, clipped = to_storage(hidden, observed, storage)
    assert not stored[~observed].any()
    if storage == "sentinel2":
        assert stored[observed].all()
        inside = observed & (values > -0.0998) & (values < 6.4)
        assert np.abs(stored * 1e-4 - 0.1 - values)[inside].max(initial=0) <= 0.5e-4 + 1e-6
    assert 0 <= clipped <= observed.sum()


def test_8_bit_values_stay_as_they_are() -> None:
    dn = np.arange(256, dtype="uint8").reshape(16, 16)
    has_data = np.ones_like(dn, dtype=bool)
    stored, clipped = to_storage(to_physical(dn, has_data, Calibration(scale=1, offset=0)), has_data, "rgb8")
    assert stored.dtype == np.uint8
    assert (stored == dn).all()
    assert clipped == 0


@pytest.mark.parametrize(
    ("dn", "nodata", "expected"),
    [
        (np.array([[0, 1]], "uint16"), 0, [[False, True]]),
        (np.array([[0, 1]], "uint16"), None, [[True, True]]),
        (np.array([[math.nan, 1.0]], "float32"), None, [[False, True]]),
        (np.array([[math.nan, 1.0]], "float32"), math.nan, [[False, True]]),
        (np.array([[-9999.0, 1.0]], "float32"), -9999, [[False, True]]),
        (np.array([[math.inf, 1.0]], "float32"), None, [[False, True]]),
    ],
)
def test_what_is_known(dn: np.ndarray, nodata: float | None, expected: list[list[bool]]) -> None:
    assert pixels_with_data(dn, nodata).tolist() == expected


def test_the_stored_calibration_is_used() -> None:
    assert calibration_of(scene("uint16", 1e-4, -0.1), "red") == NEWER


@pytest.mark.parametrize("not_plain", [scene("uint16"), scene(scale=1e-4), scene(offset=-0.1)])
def test_rgb8_holds_plain_8_bit_values_only(not_plain: Scene) -> None:
    check_storage(scene(), ["red"], "rgb8")
    check_storage(not_plain, ["red"], "sentinel2")
    with pytest.raises(InputError, match="not 8-bit RGB"):
        check_storage(not_plain, ["red"], "rgb8")


def test_a_missing_band_is_named() -> None:
    with pytest.raises(InputError, match="lacks a band") as caught:
        check_storage(scene(), ["red", "nir"], "rgb8")
    assert "nir" in caught.value.expected


def test_a_forgotten_scale_is_noticed() -> None:
    dn = np.full((4, 4), 3000, "uint16")
    has_data = pixels_with_data(dn, 0)
    _, clipped = to_storage(to_physical(dn, has_data, Calibration(scale=1, offset=0)), has_data, "sentinel2")
    with pytest.raises(InputError, match="most values lie outside") as caught:
        check_clipped(clipped, 16, scene_ids="a")
    assert "scale 0.0001" in caught.value.fix
    check_clipped(8, 16, scene_ids="a")
    with pytest.raises(InputError, match="most values lie outside"):
        check_clipped(9, 16, scene_ids="a")
