"""The labelled scene that maps are scored on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from stages.common.geo.grid import Grid
from stages.common.geo.raster import gdal_env, grid_of, open_raster, read_band, refuse_unreadable
from stages.common.geo.rows import strips
from stages.common.run.records import read_rows
from stages.common.run.stage import Run
from stages.common.scene.clean_ice import RED, SWIR, is_clean
from stages.common.tables.kinds import IGNORE
from stages.common.tables.labels import GlacierRow
from stages.common.types import BoolArray, Float32Array, UInt16Array
from stages.evaluate.baselines import snow_index
from stages.evaluate.nearest import nearest_glacier
from stages.evaluate.pixel_areas import PixelAreas

SCENE, VALID = "artifacts/prepare/{evaluate_year}/scene.tif", "artifacts/prepare/{evaluate_year}/valid.tif"

BY_OUTLINES = "debris outlines as given"
NO_SURFACE = f"not available: {RED} and {SWIR} are not among the bands, and no debris outlines are given"


@dataclass(frozen=True, kw_only=True)
class LabelledScene:
    """The labels of a scene; all arrays are (H, W). Its pixels are read where they are used, strip by strip."""

    bands: tuple[str, ...]
    valid: BoolArray
    glacier_id: UInt16Array
    ignored: BoolArray
    """Pixels whose labels are not trusted: the ignore bands."""
    debris: BoolArray | None
    """Labelled ice that is under debris; None: it cannot be told from clean ice."""
    surface_method: str
    grid: Grid
    glaciers: list[GlacierRow]

    @property
    def truth(self) -> BoolArray:
        """Labelled glacier: the outlines themselves, ignore bands included."""
        return self.glacier_id > 0

    @property
    def area_km2(self) -> PixelAreas:
        """Area of each pixel."""
        return PixelAreas(self.grid)

    @cached_property
    def nearest_glacier(self) -> UInt16Array:
        """The glacier whose outline is nearest to each pixel."""
        return nearest_glacier(self.glacier_id)


def load_scene(run: Run) -> LabelledScene:
    """Read the labels of the scene of ``evaluate.year``, and which of its pixels are valid and clean ice."""
    valid = read_band(run.path(VALID)) == 1
    path = run.path(SCENE)
    with open_raster(path) as dataset:
        grid, bands = grid_of(dataset), tuple(map(str, dataset.descriptions))
    debris, method = _debris(run, valid, bands)
    return LabelledScene(
        bands=bands,
        valid=valid,
        glacier_id=read_band(run.path("artifacts/labels/glacier_id.tif")),
        ignored=read_band(run.path("artifacts/labels/glacier.tif")) == IGNORE,
        debris=debris,
        surface_method=method,
        grid=grid,
        glaciers=read_rows(run.path("artifacts/labels/glaciers.csv"), GlacierRow),
    )


def physical_strips(path: Path, valid: BoolArray) -> Iterator[tuple[slice, Float32Array]]:
    """Yield strips of a scene: their rows, and (rows, W, C) physical values, NaN where not valid."""
    with gdal_env(), open_raster(path) as dataset, refuse_unreadable(path):
        for rows in strips(dataset.height):
            window = Window(0, rows.start, dataset.width, rows.stop - rows.start)
            pixels = np.moveaxis(dataset.read(window=window).astype(np.float32), 0, -1)
            pixels *= np.float32(dataset.scales[0])
            pixels += np.float32(dataset.offsets[0])
            pixels[~valid[rows]] = np.nan
            yield rows, pixels


def read_index(path: Path, scene: LabelledScene) -> tuple[str, Float32Array]:
    """Return name and values (H, W) of the index that the baseline's threshold is set on; NaN where not valid."""
    name, values = "", np.empty(scene.valid.shape, dtype=np.float32)
    for rows, pixels in physical_strips(path, scene.valid):
        name, values[rows] = snow_index(pixels, scene.bands)
    return name, values


def _debris(run: Run, valid: BoolArray, bands: tuple[str, ...]) -> tuple[BoolArray | None, str]:
    """Return debris by its outlines where they exist, else by the band ratio of this scene, and the method."""
    outlines = run.path("artifacts/labels/debris.tif")
    if outlines.exists():
        return read_band(outlines) == 1, BY_OUTLINES
    if not {RED, SWIR} <= set(bands):
        return None, NO_SURFACE
    ratio_min, debris = run.params.evaluate.clean_ratio_min, np.empty(valid.shape, dtype=bool)
    for rows, pixels in physical_strips(run.path(SCENE), valid):
        red, swir = pixels[..., bands.index(RED)], pixels[..., bands.index(SWIR)]
        debris[rows] = ~is_clean(red, swir, ratio_min=ratio_min)
    return debris, f"{RED} / {SWIR} of at least {ratio_min:g} is clean"
