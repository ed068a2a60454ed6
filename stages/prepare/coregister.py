"""Sub-pixel shift of a scene against the reference year's, measured on terrain that does not change.

`stages.prepare.tile_shifts` measures it. At the edges of masks, which do not move with the scene, its filter sees other
pixels in the one than in the other; so the scene is read again at the shift measured so far until nothing is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, ByRows, Plane
from stages.common.geo.rows import strips
from stages.common.machine import give_back_memory
from stages.common.params.prepare import CoregisterParams
from stages.common.scene.overpass import overpasses
from stages.common.tables.prepare import Registration
from stages.common.types import BoolArray, Float64Array, Rows
from stages.prepare.masks import SWIR, VISIBLE, SceneMasks, classes_on_grid, scene_masks, snow_index_bands
from stages.prepare.mosaic import assign_pixels, merged_rows
from stages.prepare.scene_pixels import ScenePixels
from stages.prepare.tile_shifts import ShiftEstimate, estimate_shift

STABLE_CLASSES = (4, 5, 7)
"""Scene classes of ground: vegetation, bare, unclassified. Shadow, water and snow change with sun and season."""

GROUND_REFLECTANCE_MAX, GROUND_SNOW_INDEX_MAX = 0.4, 0.2
"""Visible reflectance and snow index above which a pixel may be snow; rock exceeds the former in 0.05 % of spectra."""

ROUNDS_MAX, CONVERGED_PX = 4, 0.02
"""Most times that one scene is read, and the shift below which it need not be read again."""

DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What scenes are shifted to."""

    ids: tuple[str, ...]
    """Scenes it is made of, all of one day."""
    band: Plane
    """(H, W) reflectance, NaN where not observed."""
    stable: Bits
    """(H, W) bool: observed ground that is neither glacier nor snow."""


def make_reference(
    scenes: Sequence[ScenePixels], glacier: Rows, grid: Grid, how: CoregisterParams, *, scratch: Path = Path()
) -> Reference:
    """Return the reference, made of the reference year's first scene and those of the same day or overpass.

    Only the bands that a shift is measured on are read; other bands may lack data.

    Parameters
    ----------
    scenes
        The reference year's scenes, in the index's order.
    glacier
        (H, W) bool: inside an outline.
    scratch
        Folder of files without a name.
    """
    days = [day for day, _ in overpasses([pixels.scene.info for pixels in scenes])]
    anchors = [pixels for pixels, day in zip(scenes, days, strict=True) if day == days[0]]
    masks_of_scenes = [scene_masks(pixels, grid, _bands_compared(pixels, how)) for pixels in anchors]
    filled = assign_pixels(masks_of_scenes, grid).filled
    bands = [pixels.values_on(grid, how.band) for pixels in anchors]
    reference, stable = Plane(scratch, grid.shape, np.float32), Bits(grid.shape)
    for rows in strips(grid.height):
        reference[rows] = merged_rows(bands, filled, rows, grid.width)
    for pixels, masks, mine in zip(anchors, masks_of_scenes, filled, strict=True):
        stable = stable | bare_ground(pixels, masks, grid) & mine
    outside = ~Bits.of(glacier)
    return Reference(ids=tuple(pixels.scene.info.id for pixels in anchors), band=reference, stable=stable & outside)


def measure_shift(
    pixels: ScenePixels, masks: SceneMasks, reference: Reference, grid: Grid, how: CoregisterParams
) -> Registration:
    """Measure a scene's shift against the reference; the verdict says whether `grid_of_scene` corrects it.

    `masks` are the scene's, on `grid`.
    """
    if pixels.scene.info.id in reference.ids:
        return Registration(reference=list(reference.ids), verdict="reference")
    total, latest = np.zeros(2), ShiftEstimate(None, 0, 0.0)
    stable = reference.stable & bare_ground(pixels, masks, grid)
    give_back_memory()
    for _ in range(ROUNDS_MAX):
        band = Plane.of(pixels.scratch, pixels.values_on(_moved(grid, total), how.band))
        latest = estimate_shift(reference.band, band, stable, farthest_px=how.max_shift_px, scratch=pixels.scratch)
        if latest.shift_px is None:
            break
        total = total + latest.shift_px
        if np.hypot(*total) > how.max_shift_px or np.hypot(*latest.shift_px) < CONVERGED_PX:
            break
    return _registration(reference, total, latest, how)


def grid_of_scene(grid: Grid, registration: Registration | None) -> Grid:
    """Return where a scene's pixels are to be read so that they come to lie on `grid`: one resampling does both."""
    if registration is None or registration.verdict != "corrected":
        return grid
    return _moved(grid, np.array([registration.south_px or 0.0, registration.east_px or 0.0]))


def _moved(grid: Grid, shift_px: Float64Array) -> Grid:
    south, east = (float(value) for value in shift_px)
    return replace(grid, transform=grid.transform @ Affine.translation(east, south)) if south or east else grid


def _bands_compared(pixels: ScenePixels, how: CoregisterParams) -> list[str]:
    return [name for name in pixels.params.imagery_bands if name in {how.band, *VISIBLE, SWIR}]


def _registration(
    reference: Reference, total: Float64Array, latest: ShiftEstimate, how: CoregisterParams
) -> Registration:
    size = float(np.hypot(*total))
    ids, spread = list(reference.ids), round(latest.spread_px, DECIMALS)
    if latest.shift_px is None:
        return Registration(reference=ids, verdict="unknown", tiles=latest.tiles, spread_px=spread)
    # What is left is what the last estimate measured; where nothing is corrected, all of it.
    left = float(np.hypot(*latest.shift_px))
    verdict = _verdict(size, how)
    return Registration(
        reference=ids,
        verdict=verdict,
        south_px=round(float(total[0]), DECIMALS),
        east_px=round(float(total[1]), DECIMALS),
        residual_px=round(left if verdict == "corrected" else size, DECIMALS),
        tiles=latest.tiles,
        spread_px=spread,
    )


def _verdict(size_px: float, how: CoregisterParams) -> Literal["corrected", "small", "too large"]:
    if size_px > how.max_shift_px:
        return "too large"
    return "corrected" if size_px >= how.min_shift_px else "small"


def bare_ground(pixels: ScenePixels, masks: SceneMasks, grid: Grid) -> Bits:
    """Return (H, W) bool, True on bare or grown ground that is observed and without snow."""
    classes, snow = classes_on_grid(pixels, grid), may_be_snow(pixels, grid)
    bare = masks.has_data & ~masks.hidden & ~Bits.of(snow)
    if classes is None:
        return bare
    return bare & Bits.by_rows(grid.shape, lambda rows: np.isin(classes[rows], STABLE_CLASSES))


def may_be_snow(pixels: ScenePixels, grid: Grid) -> ByRows:
    """Return (H, W) bool, True where a pixel is bright or its snow index, if the bands exist, is above rock's."""
    name = next((name for name in VISIBLE if name in pixels.scene.bands), None)
    visible, index_bands = pixels.values_on(grid, name) if name else None, snow_index_bands(pixels, grid)

    def snow(rows: slice) -> BoolArray:
        maybe = np.zeros((rows.stop - rows.start, grid.width), dtype=bool)
        if visible is not None:
            maybe |= visible[rows] > GROUND_REFLECTANCE_MAX
        if index_bands:
            green, swir = (band[rows] for band in index_bands)
            maybe |= green - swir > GROUND_SNOW_INDEX_MAX * (green + swir)
        return maybe

    return ByRows(grid.shape, np.dtype(bool), snow)
