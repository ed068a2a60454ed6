"""The elevation model: values that are none, and a sea that is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox import tiny
from stages.common.errors import InputError
from stages.ingest.elevation import clip_dem
from tests.ingest.candidates import region

MOUNTAIN = np.add.outer(np.linspace(3000, 6000, 160), np.linspace(0, 500, 160))
FJORD = np.abs(np.subtract.outer(np.zeros(160), np.linspace(-2400, 2400, 160))) - 300
"""Walls of 45 degrees on both sides of a fjord 600 m wide."""


def dem(folder: Path, elevation_m: np.ndarray, dtype: str = "float32") -> Path:
    return tiny.write_scene(folder / "dem.tif", elevation_m[None].astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "int16"])
@pytest.mark.parametrize("rows", [slice(0, 16), slice(70, 78), slice(50, 51)], ids=["edge", "inside", "a line"])
def test_zeros_amid_mountains_are_voids_and_are_refused(tmp_path: Path, rows: slice, dtype: str) -> None:
    ground = MOUNTAIN.copy()
    ground[rows, 20:40] = 0
    with pytest.raises(InputError, match="voids that the file does not state") as caught:
        clip_dem(dem(tmp_path, ground, dtype), region())
    share = 100 * (ground == 0).mean()
    assert caught.value.found == f"{share:.2g} % of the pixels around the AOI, in 1 of 1 areas at 0 m"
    assert "gdal_edit.py -a_nodata 0" in caught.value.fix


def test_a_void_beside_the_sea_is_still_one(tmp_path: Path) -> None:
    ground = np.maximum(np.linspace(-500, 4000, 160), 0)[:, None].repeat(160, axis=1)
    assert (ground == 0).any()
    ground[120:130, 10:30] = 0
    with pytest.raises(InputError, match="far higher") as caught:
        clip_dem(dem(tmp_path, ground), region())
    assert caught.value.found.endswith("in 1 of 2 areas at 0 m")


@pytest.mark.parametrize(
    "ground",
    [
        pytest.param(np.maximum(MOUNTAIN - 4000, 0), id="a coast"),
        pytest.param(np.maximum(FJORD, 0), id="a fjord"),
        pytest.param(np.zeros((160, 160)), id="a plain by the sea"),
        pytest.param(MOUNTAIN - 3500, id="ground below the sea"),
        pytest.param(MOUNTAIN, id="no zero"),
    ],
)
def test_the_sea_is_taken_as_it_is(tmp_path: Path, ground: np.ndarray) -> None:
    layer = clip_dem(dem(tmp_path, np.maximum(ground, -400)), region())
    assert layer.pixels.min() == pytest.approx(max(ground.min(), -400), abs=1e-3)


def test_zeros_that_the_file_states_as_voids_are_voids(tmp_path: Path) -> None:
    import rasterio

    ground = MOUNTAIN.copy()
    ground[:16] = 0
    path = dem(tmp_path, ground)
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = 0
    layer = clip_dem(path, region())
    assert (layer.pixels[:16] == layer.nodata).all()
    assert layer.pixels[16:].min() >= 3000
