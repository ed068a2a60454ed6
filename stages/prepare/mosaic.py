"""Several acquisitions into one scene: each pixel from the first that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from tqdm import tqdm

from stages.common.geo.grid import Grid
from stages.common.geo.raster import finish_cog, profile
from stages.common.params.prepare import TERRAIN_BANDS, PrepareParams
from stages.common.scene.scene import Scene
from stages.common.tables.prepare import OffsetProof, Registration
from stages.common.types import AnyArray, BoolArray, Float32Array
from stages.prepare.masks import Cover
from stages.prepare.pixels import physical_on_grid
from stages.prepare.radiometry import STORAGE, encode
from stages.prepare.terrain import terrain


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """A scene that is to be merged."""

    scene: Scene
    grid: Grid
    """Where its pixels are read: the site's grid, moved by the scene's shift."""
    cover: Cover
    proof: OffsetProof | None
    registration: Registration | None


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Which acquisition fills which pixel."""

    owner: AnyArray
    """(H, W) int16: position of the acquisition that is seen there, -1 where none is."""
    cloud: BoolArray
    """(H, W) bool: some acquisition has data there, but all that do are cloudy."""

    @property
    def seen(self) -> BoolArray:
        """(H, W) bool."""
        return self.owner >= 0


def lay_out(covers: Sequence[Cover], grid: Grid) -> Mosaic:
    """Give each pixel to the first acquisition, in the index's order, that has data and no cloud there."""
    owner = np.full(grid.shape, -1, dtype=np.int16)
    covered = np.zeros(grid.shape, dtype=bool)
    for position, cover in enumerate(covers):
        covered |= cover.known
        owner[cover.known & (owner < 0) & ~cover.hidden] = position
    return Mosaic(owner=owner, cloud=covered & (owner < 0))


def write_scene_cog(
    path: Path, acquisitions: Sequence[Acquisition], mosaic: Mosaic, grid: Grid, params: PrepareParams, *, dem: Path
) -> int:
    """Write scene.tif, one band in memory at a time; return the number of clipped values.

    `dem` is read for the bands of `TERRAIN_BANDS` alone.
    """
    how, count, clipped = STORAGE[params.storage], len(params.bands), 0
    plain = path.with_suffix(".plain.tif")
    layout = profile(grid, count=count, dtype=how.dtype, nodata=how.nodata) | {"interleave": "band"}
    with rasterio.open(plain, "w", **layout) as out:
        for index, name in enumerate(tqdm(params.bands, unit="band", disable=None), start=1):
            values = terrain(name, dem, grid) if name in TERRAIN_BANDS else _merge(acquisitions, name, mosaic, params)
            pixels, beyond = encode(values, mosaic.seen, params.storage)
            out.write(pixels, index)
            out.set_band_description(index, name)
            clipped += beyond
        if (how.scale, how.offset) != (1.0, 0.0):
            out.scales, out.offsets = [how.scale] * count, [how.offset] * count
    finish_cog(plain, path, continuous=True)
    return clipped


def _merge(acquisitions: Sequence[Acquisition], name: str, mosaic: Mosaic, params: PrepareParams) -> Float32Array:
    """(H, W) float32: a band of each acquisition where it is the owner; NaN elsewhere."""
    merged = np.full(mosaic.owner.shape, np.nan, dtype=np.float32)
    for position, one in enumerate(acquisitions):
        owned = mosaic.owner == position
        if owned.any():
            np.copyto(merged, physical_on_grid(one.scene, name, one.grid, params), where=owned)
    return merged
