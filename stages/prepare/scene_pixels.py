"""Pixels of a stored scene: where its bands have data, and their reflectance, on their own grid or on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Place, Plane
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data, refuse_unreadable, require_whole
from stages.common.geo.rows import strips
from stages.common.machine import give_back_memory
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import calibration_of, to_physical
from stages.common.scene.scene import Scene
from stages.common.types import BoolArray, Float32Array
from stages.prepare.warp import to_grid_bilinear, to_grid_nearest

EVERYWHERE = slice(None)


@dataclass(frozen=True)
class ScenePixels:
    """A stored scene whose files are each unpacked once, when they are first needed, into files without a name."""

    scene: Scene
    params: PrepareParams
    scratch: Path = Path()
    """Folder of these files."""
    _planes: dict[Path, tuple[Plane, Grid]] = field(default_factory=dict, repr=False)

    def plane(self, path: Path) -> tuple[Plane, Grid]:
        """Return the pixels (H, W) of one of the scene's files in their own dtype, and the grid they lie on.

        Raises
        ------
        InputError
            The file is absent, cut short or not readable.
        """
        if path not in self._planes:
            with open_raster(path) as dataset, refuse_unreadable(path):
                require_whole(dataset, path)
                grid, plane = grid_of(dataset), Plane(self.scratch, dataset.shape, np.dtype(dataset.dtypes[0]).type)
                for rows in strips(dataset.height):
                    plane[rows] = dataset.read(1, window=Window(0, rows.start, dataset.width, rows.stop - rows.start))
                self._planes[path] = plane, grid
            give_back_memory()  # GDAL's blocks
        return self._planes[path]

    def forget(self) -> None:
        """Drop all pixels that were read: nothing needs them any more."""
        self._planes.clear()

    def data_mask(self, name: str, rows: slice = EVERYWHERE) -> tuple[BoolArray, Grid]:
        """Return (h, W) bool, True where a band has data within some of its rows, and the band's own grid.

        In 8-bit RGB a dark pixel may be 0, the usual nodata, in one band and still be real. There a pixel is without
        data only where all bands are nodata (GDAL's UNIFIED_SRC_NODATA).
        """
        names = self.params.imagery_bands if self.params.storage == "rgb8" else [name]
        per_band = [pixels_with_data(self._dn(band)[rows], self.scene.bands[band].nodata) for band in names]
        return np.logical_or.reduce(per_band), self._planes[self.scene.bands[names[0]].path][1]

    def data_mask_on(self, grid: Grid, bands: Sequence[str]) -> BoolArray:
        """Return (H, W) bool, True where all of `bands` have data, on `grid`."""
        by_grid: dict[Grid, BoolArray] = {}
        for name in bands:
            has_data, source = self.data_mask(name)
            by_grid[source] = by_grid[source] & has_data if source in by_grid else has_data
        on_grid = np.ones(grid.shape, dtype=bool)
        for source, mask in by_grid.items():
            on_grid &= to_grid_nearest(mask.view(np.uint8), source, grid, outside=0) == 1
        return on_grid

    def values(self, name: str) -> tuple[Float32Array, Grid]:
        """Return reflectance (or 8-bit values) of a band, (H, W) float32, NaN without data, and the band's own grid."""
        values, source = self._rows_of(name)
        return values[EVERYWHERE], source

    def values_on(self, grid: Grid, name: str) -> Float32Array:
        """Return the same on `grid`; bilinear where the band has to be resampled."""
        return to_grid_bilinear(*self._rows_of(name), grid)

    def _rows_of(self, name: str) -> tuple[ValuesByRows, Grid]:
        plane, source = self.plane(self.scene.bands[name].path)
        return ValuesByRows(self, name, plane.shape), source

    def _dn(self, name: str) -> Plane:
        return self.plane(self.scene.bands[name].path)[0]


@dataclass(frozen=True)
class ValuesByRows:
    """The values of a band (`ScenePixels.values`), (H, W) float32, made where they are asked for."""

    pixels: ScenePixels
    name: str
    shape: tuple[int, int]

    def __getitem__(self, place: Place) -> Float32Array:
        rows, columns = place if isinstance(place, tuple) else (place, slice(None))
        dn, (has_data, _) = self.pixels._dn(self.name)[rows], self.pixels.data_mask(self.name, rows)
        return to_physical(dn, has_data, calibration_of(self.pixels.scene, self.name))[:, columns]
