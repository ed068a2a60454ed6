"""Sub-pixel shift of a scene against the reference year's, measured on terrain that does not change.

Tiles of a high-pass filtered band are cross-correlated (`skimage.registration.phase_cross_correlation`, refined by an
upsampled DFT: Guizar-Sicairos et al. 2008), and the median over tiles is taken. What is masked is masked in both, which
draws a single estimate towards zero; so the scene is resampled at the shift estimated so far until nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from affine import Affine
from scipy import ndimage

from stages.common.geo.grid import Grid
from stages.common.params.prepare import CoregisterParams
from stages.common.scene.overpass import overpasses
from stages.common.tables.prepare import Registration
from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array
from stages.prepare.masks import GREEN, SWIR, VISIBLE, SceneMasks, classes_on_grid, scene_masks
from stages.prepare.mosaic import assign_pixels
from stages.prepare.scene_pixels import ScenePixels

STABLE_CLASSES = (4, 5, 7)
"""Scene classes of ground: vegetation, bare, unclassified. Shadow, water and snow change with sun and season."""

GROUND_REFLECTANCE_MAX, GROUND_SNOW_INDEX_MAX = 0.4, 0.2
"""Visible reflectance and snow index above which a pixel may be snow; rock exceeds the former in 0.05 % of spectra."""

EDGE_PX = 2
"""Distance to keep from all that is not stable: outlines are not exact, and the filter reaches across edges."""

FILTER_SIGMA_PX = 3.0
"""Width of the high-pass filter: illumination and haze are wider, rocks and gullies narrower."""

OUTLIER_SIGMA = 3.0
"""Filtered values are clipped at this many robust standard deviations, so that no single edge decides."""

TILE_PX, TILE_STABLE_MIN, TILES_MIN, TILES_MAX = 64, 0.3, 5, 160
"""Side of a tile, share of it that must be stable, and how many are needed and used at most."""

DETAIL_MIN = 5e-4
"""Least standard deviation of a filtered tile, reflectance: below five DN there is only rounding to compare."""

UPSAMPLING = 50
"""Shifts of a tile are estimated to a fiftieth of a pixel."""

STANDARD_ERROR_MAX_PX = 0.1
"""Largest standard error of the median over tiles: beyond it they do not agree on a shift."""

ITERATIONS_MAX, CONVERGED_PX = 6, 0.02
"""Most estimates for one scene, and the shift below which no more are needed."""

DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What scenes are shifted to."""

    ids: tuple[str, ...]
    """Scenes it is made of, all of one day."""
    band: Float32Array
    """(H, W) reflectance, NaN where not observed."""
    stable: BoolArray
    """(H, W) bool: observed ground that is neither glacier nor snow."""


@dataclass(frozen=True)
class ShiftEstimate:
    """Median shift over tiles."""

    shift_px: Float64Array | None
    """(2,) how far to the south and east the scene's content lies of the reference's; None where the tiles are too few
    or do not agree."""
    tiles: int
    """Number of tiles compared."""
    spread_px: float
    """Robust standard deviation over tiles, the larger of the two axes."""


def make_reference(scenes: Sequence[ScenePixels], glacier: BoolArray, grid: Grid, how: CoregisterParams) -> Reference:
    """Return the reference, made of the reference year's first scene and those of the same day or overpass.

    Only the bands that a shift is measured on are read; other bands may lack data.

    Parameters
    ----------
    scenes
        The reference year's scenes, in the index's order.
    glacier
        (H, W) bool: inside an outline.
    """
    days = [day for day, _ in overpasses([pixels.scene.info for pixels in scenes])]
    anchors = [pixels for pixels, day in zip(scenes, days, strict=True) if day == days[0]]
    masks_of_scenes = [scene_masks(pixels, grid, _bands_compared(pixels, how)) for pixels in anchors]
    owner = assign_pixels(masks_of_scenes, grid).owner
    band, stable = np.full(grid.shape, np.nan, dtype=np.float32), np.zeros(grid.shape, dtype=bool)
    for position, (pixels, masks) in enumerate(zip(anchors, masks_of_scenes, strict=True)):
        np.copyto(band, pixels.values_on(grid, how.band), where=owner == position)
        np.copyto(stable, bare_ground(pixels, masks, grid), where=owner == position)
    return Reference(ids=tuple(pixels.scene.info.id for pixels in anchors), band=band, stable=stable & ~glacier)


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
    for _ in range(ITERATIONS_MAX):
        latest = estimate_shift(reference.band, pixels.values_on(_moved(grid, total), how.band), stable)
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


def estimate_shift(reference: Float32Array, band: Float32Array, stable: BoolArray) -> ShiftEstimate:
    """Estimate the shift of `band` against `reference`, both (H, W) with NaN where unknown, where `stable`."""
    usable = stable & np.isfinite(reference) & np.isfinite(band)
    usable = ndimage.binary_erosion(usable, iterations=EDGE_PX, border_value=1)
    still, moved = high_pass(reference, usable), high_pass(band, usable)
    places = [place for place in _tiles(usable) if min(still[place].std(), moved[place].std()) >= DETAIL_MIN]
    places = places[:: -(-len(places) // TILES_MAX) or 1]
    if len(places) < TILES_MIN:
        return ShiftEstimate(None, len(places), 0.0)
    shifts = np.array([_tile_shift(still[place], moved[place]) for place in places])
    median = np.median(shifts, axis=0)
    spread = float(1.4826 * np.median(np.abs(shifts - median), axis=0).max())
    agree = 1.2533 * spread / np.sqrt(len(places)) <= STANDARD_ERROR_MAX_PX  # of a median, pi / 2 times the mean's
    return ShiftEstimate(median if agree else None, len(places), spread)


def high_pass(values: Float32Array, usable: BoolArray) -> Float32Array:
    """Return (H, W): what is narrower than the filter, from usable pixels alone; 0 elsewhere."""
    weight = ndimage.gaussian_filter(usable.astype(np.float32), FILTER_SIGMA_PX)
    smooth = ndimage.gaussian_filter(np.where(usable, values, np.float32(0)), FILTER_SIGMA_PX)
    detail = np.where(usable, values - smooth / np.maximum(weight, np.float32(1e-6)), np.float32(0))
    bound = OUTLIER_SIGMA * 1.4826 * float(np.median(np.abs(detail[usable]))) if usable.any() else 0.0
    return np.clip(detail, -bound, bound).astype(np.float32)


def _tiles(usable: BoolArray) -> Iterator[tuple[slice, slice]]:
    for row in range(0, usable.shape[0] - TILE_PX + 1, TILE_PX // 2):
        for column in range(0, usable.shape[1] - TILE_PX + 1, TILE_PX // 2):
            place = slice(row, row + TILE_PX), slice(column, column + TILE_PX)
            if usable[place].mean() >= TILE_STABLE_MIN:
                yield place


def _tile_shift(reference: Float32Array, band: Float32Array) -> AnyArray:
    """Return (2,) rows and columns by which the band's content lies further than the reference's."""
    from skimage.registration import phase_cross_correlation

    window = np.hanning(TILE_PX)[:, None] * np.hanning(TILE_PX)[None, :]
    to_reference, _, _ = phase_cross_correlation(
        reference * window, band * window, upsample_factor=UPSAMPLING, normalization=None
    )
    return np.asarray(-to_reference)


def bare_ground(pixels: ScenePixels, masks: SceneMasks, grid: Grid) -> BoolArray:
    """Return (H, W) bool, True on bare or grown ground that is observed and without snow."""
    classes = classes_on_grid(pixels, grid)
    bare = masks.has_data & ~masks.hidden & ~may_be_snow(pixels, grid)
    return bare if classes is None else bare & np.isin(classes, STABLE_CLASSES)


def may_be_snow(pixels: ScenePixels, grid: Grid) -> BoolArray:
    """Return (H, W) bool, True where a pixel is bright or its snow index, if the bands exist, is above rock's."""
    bands = pixels.scene.bands
    visible = next((name for name in VISIBLE if name in bands), None)
    snow = np.zeros(grid.shape, dtype=bool)
    if visible:
        snow |= pixels.values_on(grid, visible) > GROUND_REFLECTANCE_MAX
    if GREEN in bands and SWIR in bands:
        green, swir = (pixels.values_on(grid, name) for name in (GREEN, SWIR))
        snow |= green - swir > GROUND_SNOW_INDEX_MAX * (green + swir)
    return snow
