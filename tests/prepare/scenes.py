"""Made-up scenes for `prepare`, and a run of it as the pipeline does."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run import stage
from stages.common.scene.scene import Layer, Scene, SceneInfo
from stages.common.scene.store import write_index, write_scene
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare

SIZE, PX = 60, tiny.PIXEL_M
BOUNDS = (tiny.LEFT, tiny.TOP - SIZE * PX, tiny.LEFT + SIZE * PX, tiny.TOP)
BANDS = ["B02", "B11"]


def grid(column: float = 0, row: float = 0, *, size: int = SIZE, px: float = PX) -> Grid:
    transform = Affine(px, 0, tiny.LEFT + column * PX, 0, -px, tiny.TOP - row * PX)
    return Grid(crs=tiny.CRS, transform=transform, height=size, width=size)


def layer(name: str, pixels: Any, where: Grid | None = None, *, nodata: float | None = 0, **physics: float) -> Layer:
    where = where or grid()
    values = np.broadcast_to(np.asarray(pixels, dtype="uint16"), where.shape)
    return Layer(name=name, pixels=values, grid=where, nodata=nodata, **({"scale": 1e-4, "offset": -0.1} | physics))


def cloud(pixels: Any, where: Grid | None = None) -> Layer:
    where = where or grid()
    values = np.broadcast_to(np.asarray(pixels, dtype="uint8"), where.shape)
    return Layer(name="cloud_mask", pixels=values, grid=where, nodata=None)


def texture(seed: int = 0, size: int = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(700, 20_000, (size, size)).astype("uint16")


def store(*scenes: tuple[str, list[Layer]], days: dict[str, dt.date] | None = None, **info: Any) -> list[Scene]:
    folder = Path("data/scenes/2020")
    shutil.rmtree(folder, ignore_errors=True)
    written = [
        write_scene(
            folder,
            SceneInfo(id=name, year=2020, acquired=(days or {}).get(name), product=f"{name}.tif", **info),
            layers,
        )
        for name, layers in scenes
    ]
    write_index(folder, 2020, written)
    return written


def write_dem(*, rise: float = 0.0, void: bool = False) -> None:
    """Write a DEM at three times the pixel, rising to the east by `rise` from 5000 m at the site's western edge."""
    dem_grid = Grid(
        crs=tiny.CRS,
        transform=Affine(3 * PX, 0, tiny.LEFT - 6 * PX, 0, -3 * PX, tiny.TOP + 6 * PX),
        height=24,
        width=24,
    )
    east_m = (np.arange(24) + 0.5) * 3 * PX - 6 * PX
    pixels = np.tile((5000 + rise * east_m).astype("float32"), (24, 1))
    if void:
        pixels[10, 10] = -32768
    Path("data/auxiliary").mkdir()
    write_cog(Path("data/auxiliary/dem.tif"), pixels, dem_grid, nodata=-32768.0)


def run() -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Scene, validity and provenance."""
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 0
    folder = Path("artifacts/prepare/2020")
    with rasterio.open(folder / "scene.tif") as scene, rasterio.open(folder / "valid.tif") as valid:
        pixels, valid_pixels = scene.read(), valid.read(1)
        assert scene.shape == valid.shape == (SIZE, SIZE)
        assert scene.bounds == valid.bounds == BOUNDS
    assert (pixels[:, valid_pixels == 0] == 0).all()  # the law of the storage: nodata and not seen are the same
    return pixels, valid_pixels, json.loads((folder / "provenance.json").read_text())
