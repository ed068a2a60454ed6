"""Several acquisitions into one scene: each pixel from the first that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window
from tqdm import tqdm

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.common.geo.raster import finish_cog, profile
from stages.common.geo.readback import CheckedRaster, checked_raster
from stages.common.geo.rows import strips
from stages.common.machine import give_back_memory
from stages.common.params.prepare import PrepareParams
from stages.common.scene.scene import SceneInfo
from stages.common.tables.prepare import OffsetProof, Registration
from stages.common.types import Float32Array, Rows
from stages.prepare.masks import SceneMasks
from stages.prepare.radiometry import BRIGHT, STORAGE, check_bright, to_storage
from stages.prepare.scene_pixels import ScenePixels

SCENE_LEVEL = 1
"""Effort of the compression of scene.tif: 6 % larger than at 9, in a third of the processor time."""


@dataclass(frozen=True, kw_only=True)
class PlacedScene:
    """A scene that is to be merged, and where it lies."""

    pixels: ScenePixels
    grid: Grid
    """The site's grid, moved by the scene's shift: pixels that are read there come to lie on the site's grid."""
    masks: SceneMasks
    proof: OffsetProof | None
    """Result of the check of the offset; None for 8-bit RGB, which has no reflectance."""
    registration: Registration | None
    """Measured shift; None without co-registration."""

    @property
    def info(self) -> SceneInfo:
        """Description of the acquisition."""
        return self.pixels.scene.info


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Which acquisition fills which pixel."""

    filled: tuple[Bits, ...]
    """(H, W) bool of each acquisition: the pixels that it fills; a pixel is filled by one."""
    observed: Bits
    """(H, W) bool: pixels that an acquisition fills."""
    cloud: Bits
    """(H, W) bool: some acquisition has data there, but all that do are cloudy."""


def assign_pixels(masks_of_scenes: Sequence[SceneMasks], grid: Grid) -> Mosaic:
    """Give each pixel to the first acquisition, in the index's order, that has data and no cloud there."""
    filled: list[Bits] = []
    observed, covered = Bits(grid.shape), Bits(grid.shape)
    for masks in masks_of_scenes:
        filled.append(masks.has_data & ~masks.hidden & ~observed)
        observed, covered = observed | filled[-1], covered | masks.has_data
    return Mosaic(filled=tuple(filled), observed=observed, cloud=covered & ~observed)


def merged_rows(bands: Sequence[Rows], filled: Sequence[Bits], rows: slice, width: int) -> Float32Array:
    """Return some rows of a band, (h, W) float32: those of each of `bands` in the pixels it fills, NaN elsewhere."""
    merged = np.full((rows.stop - rows.start, width), np.nan, dtype=np.float32)
    for band, mask in zip(bands, filled, strict=True):
        if (mine := mask[rows]).any():
            np.copyto(merged, band[rows], where=mine)
    return merged


def write_scene_cog(
    path: Path,
    scenes: Sequence[PlacedScene],
    mosaic: Mosaic,
    grid: Grid,
    params: PrepareParams,
    *,
    terrain: Mapping[str, Rows],
) -> int:
    """Write scene.tif, one strip of a merged band in memory at a time; return the number of clipped values.

    Bands that `terrain` names are taken from it, all others from the scenes.
    """
    storage, count, clipped = STORAGE[params.storage], len(params.bands), 0
    plain = path.with_suffix(".plain.tif")
    layout = profile(grid, count=count, dtype=storage.dtype, nodata=storage.nodata) | {"interleave": "band"}
    with checked_raster(plain, layout) as out:
        for index, name in enumerate(tqdm(params.bands, unit="band", disable=None), start=1):
            if name in terrain:
                values: Iterable[Float32Array] = (terrain[name][rows] for rows in strips(grid.height))
            else:
                values = _merged_strips(scenes, name, mosaic, grid, params)
            clipped += _write_band(out, index, values, mosaic.observed, params)
            out.dataset.set_band_description(index, name)
        if (storage.scale, storage.offset) != (1.0, 0.0):
            out.dataset.scales, out.dataset.offsets = [storage.scale] * count, [storage.offset] * count
    if params.passes == "merge":  # else the passes are made of the same pixels
        for scene in scenes:
            scene.pixels.forget()
    give_back_memory()
    finish_cog(plain, path, continuous=True, level=SCENE_LEVEL)
    return clipped


def _write_band(
    out: CheckedRaster, index: int, values: Iterable[Float32Array], observed: Bits, params: PrepareParams
) -> int:
    """Write the strips of a band as the storage holds them; return the number of clipped values."""
    height, width = observed.shape
    clipped = 0
    for rows, strip in zip(strips(height), values, strict=True):
        pixels, beyond = to_storage(strip, observed[rows], params.storage)
        out.write(pixels, index, window=Window(0, rows.start, width, rows.stop - rows.start))
        clipped += beyond
    return clipped


def _merged_strips(
    scenes: Sequence[PlacedScene], name: str, mosaic: Mosaic, grid: Grid, params: PrepareParams
) -> Iterator[Float32Array]:
    """Yield the strips of a band (h, W) float32: each scene's values where it fills the pixel; NaN elsewhere.

    Raises
    ------
    InputError
        Those of a scene are brighter than any ground; it is known after the last strip.
    """
    parts = [(scene, filled) for scene, filled in zip(scenes, mosaic.filled, strict=True) if filled.any()]
    bands, masks = [scene.pixels.values_on(scene.grid, name) for scene, _ in parts], [filled for _, filled in parts]
    bright_px = np.zeros(len(parts), dtype=np.int64)
    for rows in strips(grid.height):
        merged = merged_rows(bands, masks, rows, grid.width)
        if (bright := merged > BRIGHT).any():
            bright_px += [int((bright & filled[rows]).sum()) for filled in masks]
        yield merged
    for (scene, filled), values, count in zip(parts, bands, bright_px, strict=True):
        if params.storage == "sentinel2" and scene.info.id not in params.trusted_offsets:
            check_bright(int(count), values, filled, scene.pixels.scene, name)
