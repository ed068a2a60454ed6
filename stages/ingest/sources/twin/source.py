"""Source ``twin``: a simulated site in the place that the parameters name, with its true glaciers.

The world is simulated on the site's own pixels and a margin around them: shadows and glaciers do not end at the edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.geo.vectors import pixels_inside
from stages.common.params.schema import Params
from stages.common.scene.scene import Layer
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition
from stages.ingest.sources.twin import change, inventory, truth
from stages.ingest.sources.twin.fields import blur
from stages.ingest.sources.twin.landscape import Landscape, make_landscape
from stages.ingest.sources.twin.overpass import overpasses

MARGIN_M = 1000.0
"""Width around the site that is simulated and not part of the scenes."""

DELIVERED_M = 60.0
"""Width around the site that is part of the scenes, as in a tile that is wider than the site."""

DEM_STEP = 3
"""Size of the DEM's pixels in pixels of the world: 30 m, as Copernicus GLO-30."""

DEM_YEAR = 2013
"""Year of the DEM; Copernicus GLO-30 is of 2011 to 2015."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Position of the site in the world."""

    world: Landscape
    grid: Grid
    """Grid of the world's pixels."""
    margin_px: int
    """Width of the margin around the site."""

    def crop(self, around_px: int, site: Grid) -> tuple[slice, slice]:
        """Return the rows and columns of the site and `around_px` pixels around it, of even size and start."""
        start = self.margin_px - around_px
        return tuple(slice(start, start + _even(side + 2 * around_px)) for side in site.shape)  # type: ignore[return-value]

    def grid_of(self, crop: tuple[slice, slice]) -> Grid:
        """Return the grid of a part of the world."""
        rows, columns = crop
        return Grid(
            crs=self.grid.crs,
            transform=self.grid.transform @ Affine.translation(columns.start, rows.start),
            height=rows.stop - rows.start,
            width=columns.stop - columns.start,
        )


def acquisitions(params: Params, region: Region) -> Iterator[Acquisition]:
    """Yield the acquisitions by year; nothing is rendered before a layer is asked for."""
    frame = frame_of(params, region)
    crop = frame.crop(_even(round(DELIVERED_M / region.grid.pixel_size_m)), region.grid)
    grid, per_year = frame.grid_of(crop), params.ingest.choice.scenes_per_year
    for overpass in overpasses(frame.world, params.ingest.twin, params.years, crop, grid, per_year=per_year):
        yield Acquisition(info=overpass.info, layers=overpass.layers, layer=overpass.layer, layer_count=7)


def outlines(params: Params, region: Region) -> Any:
    """Return the outlines of the twin's inventory (`stages.ingest.sources.twin.inventory`)."""
    frame = frame_of(params, region)
    return inventory.inventory_outlines(frame.world, params.ingest.twin, frame.grid)


def dem(params: Params, region: Region) -> Layer:
    """Return the elevation in whole metres, on pixels three times as large as those of the site."""
    frame = frame_of(params, region)
    around = DEM_STEP * 4
    rows, columns = frame.crop(around, region.grid)
    surface = frame.world.bed_m + change.ice_thickness(frame.world, params.ingest.twin, DEM_YEAR)
    coarse = blur(surface, DEM_STEP / 2)[rows, columns][DEM_STEP // 2 :: DEM_STEP, DEM_STEP // 2 :: DEM_STEP]
    grid = frame.grid_of((rows, columns))
    return Layer(
        name="dem",
        pixels=np.rint(coarse).astype("int16"),
        grid=Grid(
            crs=grid.crs,
            transform=grid.transform @ Affine.scale(DEM_STEP),
            height=coarse.shape[0],
            width=coarse.shape[1],
        ),
        nodata=-32768.0,
    )


def write_truth(params: Params, region: Region, folder: Path) -> None:
    """Write the true glaciers on the site's grid, year by year."""
    frame = frame_of(params, region)
    crop = frame.crop(0, region.grid)
    exact = tuple(slice(part.start, part.start + side) for part, side in zip(crop, region.grid.shape, strict=True))
    aoi = pixels_inside(region.aoi.to_crs(region.grid.crs).geometry, region.grid)
    truth.write_truth_files(
        folder, frame.world, params.ingest.twin, params.years, crop=(exact[0], exact[1]), grid=region.grid, aoi=aoi
    )


def frame_of(params: Params, region: Region) -> Frame:
    """Return the world around a site; it is made once and cached."""
    margin = _even(round(MARGIN_M / region.grid.pixel_size_m))
    shape = (region.grid.height + 2 * margin, region.grid.width + 2 * margin)
    grid = Grid(
        crs=region.grid.crs,
        transform=region.grid.transform @ Affine.translation(-margin, -margin),
        height=_even(shape[0]),
        width=_even(shape[1]),
    )
    world = _world(params.ingest.twin.seed, grid.shape, region.grid.pixel_size_m)
    return Frame(world=world, grid=grid, margin_px=margin)


@lru_cache(maxsize=1)
def _world(seed: int, shape: tuple[int, int], pixel_m: float) -> Landscape:
    return make_landscape(seed, shape, pixel_m)


def _even(count: int) -> int:
    return count + count % 2
