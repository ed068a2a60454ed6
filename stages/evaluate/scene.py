"""The labelled scene that maps are scored on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, ByRows, Plane
from stages.common.geo.raster import gdal_env, grid_of, open_raster, refuse_unreadable
from stages.common.geo.rows import strips
from stages.common.run.records import read_rows
from stages.common.run.stage import Run
from stages.common.scene.clean_ice import RED, SWIR, is_clean
from stages.common.tables.kinds import IGNORE
from stages.common.tables.labels import GlacierRow
from stages.common.types import BoolArray, Float32Array
from stages.evaluate.baselines import snow_index
from stages.evaluate.boundaries import boundary_pixels
from stages.evaluate.nearest import nearest_glacier
from stages.evaluate.planes import ROWS_AT_ONCE, pixel_areas_by_rows

SCENE, VALID = "artifacts/prepare/{evaluate_year}/scene.tif", "artifacts/prepare/{evaluate_year}/valid.tif"

BY_OUTLINES = "debris outlines as given"
NO_SURFACE = f"not available: {RED} and {SWIR} are not among the bands, and no debris outlines are given"


@dataclass(frozen=True, kw_only=True)
class LabelledScene:
    """The labels of a scene; all planes are (H, W), and are read by strips. Its pixels are read where they are used."""

    bands: tuple[str, ...]
    valid: Bits
    glacier_id: Plane
    """Number of each pixel's glacier, 0: none."""
    ignored: Bits
    """Pixels whose labels are not trusted: the ignore bands."""
    debris: Bits | None
    """Labelled ice that is under debris; None: it cannot be told from clean ice."""
    surface_method: str
    grid: Grid
    glaciers: list[GlacierRow]
    scratch: Path | None = None
    """Folder of files that last as long as a plane; None: that of the system's temporary files."""

    @cached_property
    def truth(self) -> Bits:
        """Labelled glacier: the outlines themselves, ignore bands included."""
        return Bits.by_rows(self.grid.shape, lambda rows: self.glacier_id[rows] > 0)

    @cached_property
    def numbers(self) -> int:
        """Count of glacier numbers, 0 and any that no pixel has included."""
        return 1 + max(int(self.glacier_id[rows].max()) for rows in strips(self.grid.height))

    @property
    def area_km2(self) -> ByRows:
        """Area of each pixel."""
        return pixel_areas_by_rows(self.grid)

    def nearest_glacier(self, where: Bits) -> Plane:
        """Return the glacier whose outline is nearest to each pixel `where`; 0 elsewhere."""
        return nearest_glacier(self.glacier_id, boundary_pixels(self.truth), where=where, scratch=self.scratch)


def load_scene(run: Run) -> LabelledScene:
    """Read the labels of the scene of ``evaluate.year``, and which of its pixels are valid and clean ice."""
    path = run.path(SCENE)
    with open_raster(path) as dataset:
        grid, bands = grid_of(dataset), tuple(map(str, dataset.descriptions))
    with gdal_env():
        valid = read_mask(run.path(VALID), value=1)
        debris, method = _debris(run, valid, bands)
        return LabelledScene(
            bands=bands,
            valid=valid,
            glacier_id=Plane.of_band(run.out, run.path("artifacts/labels/glacier_id.tif")),
            ignored=read_mask(run.path("artifacts/labels/glacier.tif"), value=IGNORE),
            debris=debris,
            surface_method=method,
            grid=grid,
            glaciers=read_rows(run.path("artifacts/labels/glaciers.csv"), GlacierRow),
            scratch=run.out,
        )


def read_mask(path: Path, *, value: int) -> Bits:
    """Return where the first band of a raster has a value."""
    with open_raster(path) as dataset, refuse_unreadable(path):

        def strip(rows: slice) -> BoolArray:
            window = Window(0, rows.start, dataset.width, rows.stop - rows.start)
            return np.asarray(dataset.read(1, window=window) == value)

        return Bits.by_rows(dataset.shape, strip)


def physical_strips(path: Path, valid: Bits) -> Iterator[tuple[slice, Float32Array]]:
    """Yield strips of a scene: their rows, and (rows, W, C) physical values, NaN where not valid."""
    with gdal_env(), open_raster(path) as dataset, refuse_unreadable(path):
        for rows in strips(dataset.height, ROWS_AT_ONCE):
            window = Window(0, rows.start, dataset.width, rows.stop - rows.start)
            pixels = np.moveaxis(dataset.read(window=window).astype(np.float32), 0, -1)
            pixels *= np.float32(dataset.scales[0])
            pixels += np.float32(dataset.offsets[0])
            pixels[~valid[rows]] = np.nan
            yield rows, pixels


def read_index(path: Path, scene: LabelledScene) -> tuple[str, Plane]:
    """Return name and values (H, W) of the index that the baseline's threshold is set on; NaN where not valid."""
    name, values = "", Plane(scene.scratch, scene.grid.shape, np.float32)
    for rows, pixels in physical_strips(path, scene.valid):
        name, values[rows] = snow_index(pixels, scene.bands)
    return name, values


def _debris(run: Run, valid: Bits, bands: tuple[str, ...]) -> tuple[Bits | None, str]:
    """Return debris by its outlines where they exist, else by the band ratio of this scene, and the method."""
    outlines = run.path("artifacts/labels/debris.tif")
    if outlines.exists():
        return read_mask(outlines, value=1), BY_OUTLINES
    if not {RED, SWIR} <= set(bands):
        return None, NO_SURFACE
    ratio_min, debris = run.params.evaluate.clean_ratio_min, Bits(valid.shape)
    for rows, pixels in physical_strips(run.path(SCENE), valid):
        red, swir = pixels[..., bands.index(RED)], pixels[..., bands.index(SWIR)]
        debris[rows] = ~is_clean(red, swir, ratio_min=ratio_min)
    return debris, f"{RED} / {SWIR} of at least {ratio_min:g} is clean"
