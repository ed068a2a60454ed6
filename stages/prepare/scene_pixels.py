"""Pixels of a stored scene: where its bands have data, and their reflectance, on their own grid or on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, ByRows, Plane
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data, require_whole
from stages.common.machine import give_back_memory
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import calibration_of, to_physical
from stages.common.scene.scene import Scene
from stages.common.types import BoolArray, Float32Array, Rows
from stages.prepare.warp import to_grid_bilinear, to_grid_nearest


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
            with open_raster(path) as dataset:
                require_whole(dataset, path)
                grid = grid_of(dataset)
            self._planes[path] = Plane.of_band(self.scratch, path), grid
            give_back_memory()  # GDAL's blocks
        return self._planes[path]

    def forget(self) -> None:
        """Drop all pixels that were read: nothing needs them any more."""
        self._planes.clear()

    def has_data(self, name: str) -> tuple[ByRows, Grid]:
        """Return (H, W) bool, True where a band has data, and the band's own grid.

        In 8-bit RGB a dark pixel may be 0, the usual nodata, in one band and still be real. There a pixel is without
        data only where all bands are nodata (GDAL's UNIFIED_SRC_NODATA).
        """
        names = self.params.imagery_bands if self.params.storage == "rgb8" else [name]
        bands = [self.scene.bands[band] for band in names]
        planes = [(self.plane(band.path)[0], band.nodata) for band in bands]

        def known(rows: slice) -> BoolArray:
            masks = [pixels_with_data(plane[rows], nodata) for plane, nodata in planes]
            return np.asarray(np.logical_or.reduce(masks), dtype=bool)

        return ByRows(planes[0][0].shape, np.dtype(bool), known), self.plane(bands[0].path)[1]

    def data_mask_on(self, grid: Grid, bands: Sequence[str]) -> Bits:
        """Return (H, W) bool, True where all of `bands` have data, on `grid`."""
        by_grid: dict[Grid, list[ByRows]] = {}
        for name in bands:
            has_data, source = self.has_data(name)
            by_grid.setdefault(source, []).append(has_data)
        on_grid = ~Bits(grid.shape)
        for source, masks in by_grid.items():
            on_grid = on_grid & Bits.of(to_grid_nearest(_in_all(masks), source, grid, outside=0, scratch=self.scratch))
        return on_grid

    def values(self, name: str) -> tuple[ByRows, Grid]:
        """Return reflectance (or 8-bit values) of a band, (H, W) float32, NaN without data, and the band's own grid."""
        plane, source = self.plane(self.scene.bands[name].path)
        has_data, calibration = self.has_data(name)[0], calibration_of(self.scene, name)

        def physical(rows: slice) -> Float32Array:
            return to_physical(plane[rows], has_data[rows], calibration)

        return ByRows(plane.shape, np.dtype(np.float32), physical), source

    def values_on(self, grid: Grid, name: str) -> Rows:
        """Return the same on `grid`; bilinear where the band has to be resampled."""
        return to_grid_bilinear(*self.values(name), grid, scratch=self.scratch)


def _in_all(masks: Sequence[ByRows]) -> ByRows:
    """Return (H, W) uint8, 1 where all masks, of one shape, are True."""
    return ByRows(
        masks[0].shape,
        np.dtype(np.uint8),
        lambda rows: np.logical_and.reduce([mask[rows] for mask in masks]).view(np.uint8),
    )
