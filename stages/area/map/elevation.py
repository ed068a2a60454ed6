"""Read the DEM of a site, and bring it onto other cells."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio import warp
from rasterio.enums import Resampling
from scipy import ndimage

from stages.area import contract
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import open_raster, pixels_with_data, profile, refuse_unreadable
from stages.common.geo.readback import refuse_unwritten
from stages.common.geo.rows import STRIP_ROWS, strips
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.data import AuxiliaryManifest
from stages.common.types import BoolArray, Float32Array


@dataclass(frozen=True, kw_only=True)
class Elevation:
    """A DEM on its own grid."""

    height_m: Float32Array
    """(H, W) metres, NaN where unknown."""
    transform: Affine
    crs: Any

    @classmethod
    def read(cls, path: Path) -> Elevation:
        """Read the whole DEM."""
        with open_raster(path) as dataset, refuse_unreadable(path):
            height = dataset.read(1)
            is_known = pixels_with_data(height, dataset.nodata)
            height_m = np.where(is_known, height, np.nan).astype(np.float32)
            return cls(height_m=height_m, transform=dataset.transform, crs=dataset.crs)

    def rises_along(self, line: Any, crs: str) -> bool:
        """Return whether the end of a line lies higher than its head; False where the DEM lacks one of the heights."""
        ends = np.array([line.coords[0][:2], line.coords[-1][:2]])
        x, y = warp.transform(crs, self.crs, *ends.T.tolist())
        columns, rows = ~self.transform @ (np.array(x), np.array(y))
        places = [(math.floor(row), math.floor(column)) for row, column in zip(rows, columns, strict=True)]
        height, width = self.height_m.shape
        if not all(0 <= row < height and 0 <= column < width for row, column in places):
            return False
        head_m, end_m = (float(self.height_m[place]) for place in places)
        return end_m > head_m  # False where one is NaN

    def on_grid(self, grid: Grid, wanted: Bits, folder: Path) -> Plane | None:
        """Return the same as `on_cells` on a whole grid, (H, W); NaN stands in voids that are not `wanted`.

        GDAL writes the heights into a file in `folder`, in the parts and so with the values of an array in memory.
        """
        layout = profile(grid, count=1, dtype="float32", nodata=np.nan)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            path = Path(scratch, "heights.tif")
            with refuse_unwritten(path), rasterio.open(path, "w", **layout) as dataset:
                self._resample(rasterio.band(dataset, 1), grid.transform, grid.crs)
            cells = Plane.of_band(folder, path)
        known = Bits.by_rows(grid.shape, lambda rows: ~np.isnan(cells[rows]))
        if not known.any():
            return None
        for rows in strips(grid.height):
            if (gap := wanted[rows] & ~known[rows]).any():
                cells[rows] = _filled(cells, known, rows, gap)
        return cells

    def on_cells(self, shape: tuple[int, int], transform: Affine, crs: str) -> Float32Array | None:
        """Return (H, W) metres, bilinear, voids filled from the nearest cell; None where the DEM reaches no cell."""
        cells = np.full(shape, np.nan, dtype=np.float32)
        self._resample(cells, transform, crs)
        void = np.isnan(cells)
        if void.all():
            return None
        if not void.any():
            return cells
        nearest = ndimage.distance_transform_edt(void, return_distances=False, return_indices=True)
        for rows in strips(len(cells)):  # indices widen to 16 bytes a cell
            gap = void[rows]
            cells[rows][gap] = cells[nearest[0, rows][gap], nearest[1, rows][gap]]
        return cells

    def _resample(self, cells: Any, transform: Affine, crs: str) -> None:
        warp.reproject(
            self.height_m, cells, src_transform=self.transform, src_crs=self.crs, src_nodata=np.nan,
            dst_transform=transform, dst_crs=crs, dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip


def _filled(cells: Plane, known: Bits, rows: slice, gap: BoolArray) -> Float32Array:
    """Return the (h, W) `rows` of `cells` with the nearest known cell in each `gap`, however far it is."""
    row, column = np.nonzero(gap)
    halo, filled = STRIP_ROWS, cells[rows]
    while True:
        first, stop = max(rows.start - halo, 0), min(rows.stop + halo, len(cells))
        if (about := known[first:stop]).any():
            nearest = ndimage.distance_transform_edt(~about, return_distances=False, return_indices=True)
            at_row = row + rows.start - first
            from_row, from_column = (axis[at_row, column] for axis in nearest)
            if np.hypot(from_row - at_row, from_column - column).max() <= halo or stop - first == len(cells):
                filled[row, column] = cells[first:stop][from_row, from_column]
                return filled
        halo *= 2


def read_dem(run: Run) -> Elevation | None:
    """Read the DEM of a site; None where it has none."""
    manifest = read_document(run.path(contract.AUXILIARY), AuxiliaryManifest)
    return Elevation.read(run.path(contract.DEM)) if manifest.dem else None
