"""The labelled scene that maps are scored on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import grid_of, open_raster, read_band, refuse_unreadable
from stages.common.run.records import read_rows
from stages.common.run.stage import Run
from stages.common.scene.clean_ice import RED, SWIR, is_clean
from stages.common.tables.kinds import IGNORE
from stages.common.tables.labels import GlacierRow
from stages.common.types import BoolArray, Float32Array, Float64Array, UInt16Array

BY_OUTLINES = "debris outlines as given"
NO_SURFACE = f"not available: {RED} and {SWIR} are not among the bands, and no debris outlines are given"


@dataclass(frozen=True, kw_only=True)
class LabelledScene:
    """A scene with its labels; all arrays are (H, W) but for the pixels."""

    pixels: Float32Array
    """(H, W, C) physical values, NaN where invalid."""
    bands: tuple[str, ...]
    valid: BoolArray
    glacier_id: UInt16Array
    ignored: BoolArray
    """Pixels whose labels are not trusted: the ignore bands."""
    debris: BoolArray | None
    """Labelled ice that is under debris; None: it cannot be told from clean ice."""
    surface_method: str
    area_km2: Float64Array
    grid: Grid
    glaciers: list[GlacierRow]

    @property
    def truth(self) -> BoolArray:
        """Labelled glacier: the outlines themselves, ignore bands included."""
        return self.glacier_id > 0


def load_scene(run: Run) -> LabelledScene:
    """Read the scene of ``evaluate.year`` with its labels."""
    valid = read_band(run.path("artifacts/prepare/{evaluate_year}/valid.tif")) == 1
    path = run.path("artifacts/prepare/{evaluate_year}/scene.tif")
    with open_raster(path) as dataset, refuse_unreadable(path):
        grid, bands = grid_of(dataset), tuple(map(str, dataset.descriptions))
        pixels = np.moveaxis(dataset.read().astype(np.float32), 0, -1)
        pixels = pixels * np.float32(dataset.scales[0]) + np.float32(dataset.offsets[0])
    pixels[~valid] = np.nan
    debris, method = _debris(run, pixels, bands)
    return LabelledScene(
        pixels=pixels,
        bands=bands,
        valid=valid,
        glacier_id=read_band(run.path("artifacts/labels/glacier_id.tif")),
        ignored=read_band(run.path("artifacts/labels/glacier.tif")) == IGNORE,
        debris=debris,
        surface_method=method,
        area_km2=pixel_area_km2(grid),
        grid=grid,
        glaciers=read_rows(run.path("artifacts/labels/glaciers.csv"), GlacierRow),
    )


def _debris(run: Run, pixels: Float32Array, bands: tuple[str, ...]) -> tuple[BoolArray | None, str]:
    """Return debris by its outlines where they exist, else by the band ratio of this scene, and the method."""
    outlines = run.path("artifacts/labels/debris.tif")
    if outlines.exists():
        return read_band(outlines) == 1, BY_OUTLINES
    if not {RED, SWIR} <= set(bands):
        return None, NO_SURFACE
    ratio_min = run.params.evaluate.clean_ratio_min
    red, swir = pixels[..., bands.index(RED)], pixels[..., bands.index(SWIR)]
    return ~is_clean(red, swir, ratio_min=ratio_min), f"{RED} / {SWIR} of at least {ratio_min:g} is clean"
