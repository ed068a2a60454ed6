"""Made-up candidate scenes of the site of `sandbox.tiny`: SCL and the bands that snow shows in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import geopandas
import numpy as np
from affine import Affine
from shapely.geometry import box

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.scene.scene import SCL, Layer, SceneInfo
from stages.ingest.choice.visibility import site_masks
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition, GoneError

GRID = Grid(tiny.CRS, Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, -tiny.PIXEL_M, tiny.TOP), tiny.SIZE_PX, tiny.SIZE_PX)
SIDE_M = tiny.SIZE_PX * tiny.PIXEL_M
ROCK, SNOW_CLASS, CLOUD, NO_DATA = 5, 11, 9, 0
SNOW_DN, ROCK_DN = {"B03": 7000, "B04": 7000, "B11": 500}, {"B03": 1500, "B04": 1600, "B11": 2500}
"""Before the offset of 1000."""


def region() -> Region:
    aoi = geopandas.GeoDataFrame(
        geometry=[box(tiny.LEFT, tiny.TOP - SIDE_M, tiny.LEFT + SIDE_M, tiny.TOP)], crs=tiny.CRS
    )
    return Region(grid=GRID, aoi=aoi)


def outlines() -> Any:
    return geopandas.GeoDataFrame(geometry=tiny.outlines(), crs=tiny.CRS).to_crs("EPSG:4326")


def scl(*, cloud_columns: slice | None = None, no_data_columns: slice | None = None) -> np.ndarray:
    """(H, W) uint8, clear but for the columns named."""
    classes = np.full(GRID.shape, ROCK, np.uint8)
    if cloud_columns:
        classes[:, cloud_columns] = CLOUD
    if no_data_columns:
        classes[:, no_data_columns] = NO_DATA
    return classes


def candidate(
    day: str,
    classes: np.ndarray | None = None,
    *,
    snow_rows: int = 0,
    gone: str | None = None,
    dn_offset: int = 1000,
    **metadata: Any,
) -> Acquisition:
    """A scene of `day`, its upper `snow_rows` rows under snow; the layer `gone` cannot be had."""
    classes = scl() if classes is None else classes
    date = dt.date.fromisoformat(day)
    info = SceneInfo(**{
        "id": f"S2_{day}", "year": date.year, "acquired": date, "product": f"S2_{day}", "tile": "44RLV",
        "relative_orbit": 5, "processing_baseline": "05.00", "convention": "by-baseline",
    } | metadata)  # fmt: skip

    def layer(name: str) -> Layer | None:
        if name == gone:
            raise GoneError("the file is gone", where=name, expected="a COG", found="404", fix="none")
        if name == SCL:
            return Layer(name=SCL, pixels=classes, grid=GRID, nodata=None)
        pixels = np.full(GRID.shape, ROCK_DN[name] + dn_offset, np.uint16)
        pixels[:snow_rows] = SNOW_DN[name] + dn_offset
        return Layer(name=name, pixels=pixels, grid=GRID, nodata=0)

    def layers() -> Iterator[Layer]:
        yield from (present for name in ("B03", "B04", "B11", SCL) if (present := layer(name)))

    return Acquisition(info=info, layers=layers, layer_count=4, layer=layer)


SITE = site_masks(region(), outlines(), snow_buffer_m=600)
