"""What is the same in every year: grid, AOI, prior outlines, and the glacier that ice in a pixel is counted to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window
from scipy import ndimage

from stages.area import contract
from stages.area.map.elevation import Elevation
from stages.area.map.surface import grow_zones, zonal_area_km2
from stages.area.review import NOBODY_LOOKED, SiteReview, read_site_review
from stages.common.errors import ContractError
from stages.common.geo.grid import Grid, parse_metric_crs
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import open_raster, read_grid, refuse_unreadable
from stages.common.geo.rows import strips
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.run.records import read_rows
from stages.common.run.stage import Run
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.labels import UNASSIGNED, GlacierRow
from stages.common.types import BoolArray, Float32Array, Float64Array, Rows

LOWEST_PCT, HIGHEST_PCT = 1, 99
"""Percentiles of the heights within an outline that count as its front and its head: single cells of a DEM err."""


@dataclass(frozen=True, kw_only=True)
class AreaSite:
    """Everything that all years of a site share."""

    grid: Grid
    aoi: Bits
    """(H, W): pixel centres within the AOI."""
    prior: Bits
    """(H, W): prior outlines within the AOI."""
    owner: Plane
    """(H, W): number (1, 2, ...) of the glacier that ice there is counted to; 0 where no glacier is near."""
    glaciers: list[GlacierRow]
    """Rows of glaciers.csv; glacier number n stands at position n - 1."""
    outlines_km2: Float64Array
    """(1 + glaciers,): area of each prior outline within the AOI; position 0: no outline."""
    aoi_km2: float
    """Area of the AOI."""
    outlines: Any
    """GeoDataFrame of the prior outlines."""
    review: SiteReview = NOBODY_LOOKED
    """What a person decided on the maps."""
    scratch: Path = Path()
    """Folder of files without a name, for planes of numbers."""

    @cached_property
    def _windows(self) -> list[Any]:
        return list(ndimage.find_objects(self.owner[:]))

    def window(self, index: int) -> tuple[slice, slice]:
        """Return rows and columns that hold all pixels of a value of `owner`; empty slices where it has no pixel."""
        window = self._windows[index - 1] if index <= len(self._windows) else None
        return window or (slice(0, 0), slice(0, 0))

    @property
    def rgi_ids(self) -> list[str]:
        """RGI id of each value of `owner`."""
        return [UNASSIGNED, *(row.rgi_id for row in self.glaciers)]

    def edited(self, year: int, ice: Bits, observed: Bits) -> Bits:
        """Return a year's map (H, W) with what a person changed (`SiteReview.edited`)."""
        return self.review.edited(year, ice, observed, owner=self.owner, rgi_ids=self.rgi_ids, grid=self.grid)

    def areas_km2(self, **selections: Bits) -> dict[str, Float64Array]:
        """Return, for each (H, W) selection, its (1 + glaciers,) km2 by value of `owner`."""
        return self.areas_by_rows_km2(lambda rows: {name: chosen[rows] for name, chosen in selections.items()})

    def areas_by_rows_km2(self, select: Callable[[slice], Mapping[str, BoolArray]]) -> dict[str, Float64Array]:
        """Return the same of selections that `select` makes for a strip of rows at a time."""
        return zonal_area_km2(self.grid, self.owner, select, n_zones=1 + len(self.glaciers))


def read_site(run: Run) -> AreaSite:
    """Read what all years share.

    Raises
    ------
    ContractError
        No pixel centre lies in the AOI, or glacier_id.tif and glaciers.csv do not fit each other.
    """
    grid = read_grid(run.path(contract.GLACIER_ID))
    parse_metric_crs(grid.crs, where=run.path(contract.GLACIER_ID))
    stored = Plane.of_band(run.out, run.path(contract.GLACIER_ID))
    glaciers = read_glaciers(run.path(contract.GLACIERS), stored)
    aoi = Bits.of(pixels_inside(read_polygons(run.path(contract.AOI), grid.crs).geometry, grid))
    if not aoi.any():
        raise ContractError(
            "the AOI covers no pixel",
            where=run.path(contract.AOI),
            expected=f"an AOI on the grid {grid}",
            fix="draw the AOI over the glaciers",
        )
    ids = np.empty(grid.shape, dtype=np.min_scalar_type(len(glaciers)))  # one byte a pixel if no more than 255
    for rows in strips(grid.height):
        ids[rows] = stored[rows]
    owner = Plane.of(run.out, grow_zones(ids, distance_px=run.params.area.assign_distance_m / grid.pixel_size_m))
    prior = Bits.by_rows(grid.shape, lambda rows: (ids[rows] > 0) & aoi[rows])
    sums = zonal_area_km2(grid, owner, lambda rows: {"aoi": aoi[rows], "prior": prior[rows]}, n_zones=1 + len(glaciers))
    return AreaSite(
        grid=grid,
        aoi=aoi,
        prior=prior,
        owner=owner,
        glaciers=glaciers,
        outlines_km2=sums["prior"],
        aoi_km2=float(sums["aoi"].sum()),
        outlines=read_polygons(run.path(contract.OUTLINES), grid.crs),
        review=read_site_review(run, grid),
        scratch=run.out,
    )


def heights_of(site: AreaSite, dem: Elevation | None) -> Plane | None:
    """Return the heights of a site (`relative_height`); None where there is no DEM, or it reaches no pixel."""
    near = Bits.by_rows(site.grid.shape, lambda rows: site.owner[rows] > 0)
    height_m = dem.on_grid(site.grid, near, site.scratch) if dem else None
    return None if height_m is None else relative_height(site, height_m)


def relative_height(site: AreaSite, height_m: Float32Array | Plane) -> Plane:
    """Return (H, W) heights between front (0) and head (1) of the glacier that a pixel counts to; inf near none."""
    relative = Plane(site.scratch, site.grid.shape, np.float32)
    for rows in strips(site.grid.height):
        relative[rows] = np.full((rows.stop - rows.start, site.grid.width), np.inf, dtype=np.float32)
    for index in range(1, 1 + len(site.glaciers)):
        rows, columns = site.window(index)
        own, heights = site.owner[rows, columns] == index, height_m[rows, columns]
        within = heights[own & site.prior[rows, columns]]
        if within.size:
            low, high = np.percentile(within, (LOWEST_PCT, HIGHEST_PCT))
            around = relative[rows, columns]
            around[own] = (heights[own] - low) / max(float(high - low), 1.0)
            relative[rows, columns] = around
    return relative


def read_glaciers(path: Path, ids: Rows) -> list[GlacierRow]:
    """Read glaciers.csv, whose rows must be numbered 1, 2, 3, ... and cover the raster `ids`.

    Raises
    ------
    ContractError
        Its numbers have a gap, or `ids` holds a number that it lacks.
    """
    rows = read_rows(path, GlacierRow)
    numbers = [row.glacier_index for row in rows]
    largest = max(int(ids[some].max()) for some in strips(ids.shape[0]))
    if numbers != list(range(1, len(rows) + 1)) or largest > len(rows):
        raise ContractError(
            "glaciers.csv does not fit glacier_id.tif",
            where=path,
            expected=f"glacier_index 1, 2, 3, ... to at least {largest}",
            found=f"{len(rows)} rows: {', '.join(map(str, numbers[:5]))} ...",
            fix="run the stage labels again",
        )
    return rows


def read_map(mask: Path, valid: Path) -> tuple[Bits, Bits]:
    """Read ice and observed pixels, both (H, W); invalid pixels and those without a class were not observed."""
    ice, unknown = pixels_of(mask, 1, MASK_NODATA)
    observed = pixels_of(valid, 1)[0] & ~unknown
    return ice & observed, observed


def pixels_of(path: Path, *values: int, band: int = 1) -> list[Bits]:
    """Return the (H, W) pixels of a band, counted from 1, that have each value, read strip by strip."""
    with open_raster(path) as dataset, refuse_unreadable(path):
        masks = [Bits(dataset.shape) for _ in values]
        for rows in strips(dataset.height):
            part = dataset.read(band, window=Window(0, rows.start, dataset.width, rows.stop - rows.start))
            for mask, value in zip(masks, values, strict=True):
                mask[rows] = part == value
    return masks
