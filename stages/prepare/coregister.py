"""Sub-pixel shift of a scene against the reference year's, measured on terrain that does not change.

Tiles of a high-pass filtered band are cross-correlated (`skimage.registration.phase_cross_correlation`, refined by an
upsampled DFT: Guizar-Sicairos et al. 2008), and the median over tiles is taken. What is masked is masked in both, which
draws a single estimate towards zero; so the scene is read again at the shift found so far until nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from affine import Affine
from scipy import ndimage

from stages.common.geo.grid import Grid
from stages.common.params.prepare import CoregisterParams, PrepareParams
from stages.common.scene.scene import Scene
from stages.common.tables.prepare import Registration
from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array
from stages.prepare.masks import VISIBLE, classes_on_grid, cover_of
from stages.prepare.mosaic import lay_out
from stages.prepare.pixels import physical_on_grid

STABLE_CLASSES = (4, 5, 7)
"""Scene classes of ground: vegetation, bare, unclassified. Shadow moves with the sun, water and snow by season."""

GROUND_REFLECTANCE_MAX, GROUND_SNOW_INDEX_MAX = 0.4, 0.2
"""Visible reflectance and snow index above which a pixel may be snow; rock exceeds the former in 0.05 % of spectra."""

EDGE_PX = 2
"""Kept away from all that is not stable: outlines are not exact, and the filter reaches across edges."""

FILTER_SIGMA_PX = 3.0
"""High pass: illumination and haze are wider than that, rocks and gullies narrower."""

OUTLIER_SIGMA = 3.0
"""Filtered values are clipped at this many robust standard deviations, so that no single edge decides."""

TILE_PX, TILE_STABLE_MIN, TILES_MIN, TILES_MAX = 64, 0.3, 5, 160
"""Side of a tile, share of it that must be stable, and how many are needed and used at most."""

DETAIL_MIN = 5e-4
"""Standard deviation of a filtered tile: below five DN there is nothing to compare but rounding."""

UPSAMPLING = 50
"""A fiftieth of a pixel."""

STANDARD_ERROR_MAX_PX = 0.1
"""Of the median over tiles: beyond it they do not agree on a shift."""

ITERATIONS_MAX, CONVERGED_PX = 6, 0.02
DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What scenes are shifted to."""

    ids: tuple[str, ...]
    """Scenes it is made of, all of one day."""
    band: Float32Array
    """(H, W) reflectance, NaN where not seen."""
    stable: BoolArray
    """(H, W) bool: ground, neither glacier nor snow, seen."""


@dataclass(frozen=True)
class Estimate:
    """Median shift over tiles; None where they are too few or do not agree."""

    shift_px: Float64Array | None
    """(2,) how far to the south and east the scene's content lies of the reference's."""
    tiles: int
    spread_px: float
    """Robust standard deviation over tiles, the larger of the two axes."""


def make_reference(scenes: Sequence[Scene], glacier: BoolArray, grid: Grid, params: PrepareParams) -> Reference:
    """Reference from the reference year's first scene and those of the same day.

    Parameters
    ----------
    scenes
        The reference year's, in the index's order.
    glacier
        (H, W) bool: inside an outline.
    """
    anchors = [scene for scene in scenes if scene.info.day == scenes[0].info.day]
    owner = lay_out([cover_of(scene, grid, params) for scene in anchors], grid).owner
    band, stable = np.full(grid.shape, np.nan, dtype=np.float32), np.zeros(grid.shape, dtype=bool)
    for position, scene in enumerate(anchors):
        np.copyto(band, _band(scene, grid, params), where=owner == position)
        np.copyto(stable, ground(scene, grid, params), where=owner == position)
    return Reference(ids=tuple(scene.info.id for scene in anchors), band=band, stable=stable & ~glacier)


def register(scene: Scene, reference: Reference, grid: Grid, params: PrepareParams) -> Registration:
    """Measure a scene's shift; the answer says whether it is to be corrected (`grid_of_scene`)."""
    how = _how(params)
    if scene.info.id in reference.ids:
        return Registration(reference=list(reference.ids), verdict="reference")
    total, found = np.zeros(2), Estimate(None, 0, 0.0)
    stable = reference.stable & ground(scene, grid, params)
    for _ in range(ITERATIONS_MAX):
        found = estimate(reference.band, _band(scene, _moved(grid, total), params), stable)
        if found.shift_px is None:
            break
        total = total + found.shift_px
        if np.hypot(*total) > how.max_shift_px or np.hypot(*found.shift_px) < CONVERGED_PX:
            break
    return _judge(reference, total, found, how)


def grid_of_scene(grid: Grid, registration: Registration | None) -> Grid:
    """Where a scene's pixels are to be read so that they come to lie on `grid`: one resampling does both."""
    if registration is None or registration.verdict != "corrected":
        return grid
    return _moved(grid, np.array([registration.south_px or 0.0, registration.east_px or 0.0]))


def _moved(grid: Grid, shift_px: Float64Array) -> Grid:
    south, east = (float(value) for value in shift_px)
    return replace(grid, transform=grid.transform @ Affine.translation(east, south)) if south or east else grid


def _judge(reference: Reference, total: Float64Array, found: Estimate, how: CoregisterParams) -> Registration:
    size = float(np.hypot(*total))
    ids, spread = list(reference.ids), round(found.spread_px, DECIMALS)
    if found.shift_px is None:
        return Registration(reference=ids, verdict="unknown", tiles=found.tiles, spread_px=spread)
    # What is left is what the last look has found; where nothing is corrected, all of it.
    left = float(np.hypot(*found.shift_px))
    verdict = _verdict(size, how)
    return Registration(
        reference=ids,
        verdict=verdict,
        south_px=round(float(total[0]), DECIMALS),
        east_px=round(float(total[1]), DECIMALS),
        residual_px=round(left if verdict == "corrected" else size, DECIMALS),
        tiles=found.tiles,
        spread_px=spread,
    )


def _verdict(size_px: float, how: CoregisterParams) -> Literal["corrected", "small", "too large"]:
    if size_px > how.max_shift_px:
        return "too large"
    return "corrected" if size_px >= how.min_shift_px else "small"


def estimate(reference: Float32Array, band: Float32Array, stable: BoolArray) -> Estimate:
    """Shift of `band` against `reference`, both (H, W) with NaN where unknown, where `stable`."""
    usable = stable & np.isfinite(reference) & np.isfinite(band)
    usable = ndimage.binary_erosion(usable, iterations=EDGE_PX, border_value=1)
    one, other = high_pass(reference, usable), high_pass(band, usable)
    places = [place for place in _tiles(usable) if min(one[place].std(), other[place].std()) >= DETAIL_MIN]
    places = places[:: -(-len(places) // TILES_MAX) or 1]
    if len(places) < TILES_MIN:
        return Estimate(None, len(places), 0.0)
    shifts = np.array([_tile_shift(one[place], other[place]) for place in places])
    median = np.median(shifts, axis=0)
    spread = float(1.4826 * np.median(np.abs(shifts - median), axis=0).max())
    agree = 1.2533 * spread / np.sqrt(len(places)) <= STANDARD_ERROR_MAX_PX  # of a median, pi / 2 times the mean's
    return Estimate(median if agree else None, len(places), spread)


def high_pass(values: Float32Array, usable: BoolArray) -> Float32Array:
    """(H, W): what is narrower than the filter, from usable pixels alone; 0 elsewhere."""
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
    """(2,) rows and columns by which the band's content lies further than the reference's."""
    from skimage.registration import phase_cross_correlation

    window = np.hanning(TILE_PX)[:, None] * np.hanning(TILE_PX)[None, :]
    to_reference, _, _ = phase_cross_correlation(
        reference * window, band * window, upsample_factor=UPSAMPLING, normalization=None
    )
    return np.asarray(-to_reference)


def _band(scene: Scene, grid: Grid, params: PrepareParams) -> Float32Array:
    return physical_on_grid(scene, _how(params).band, grid, params)


def _how(params: PrepareParams) -> CoregisterParams:
    return params.coregister or CoregisterParams()


def ground(scene: Scene, grid: Grid, params: PrepareParams) -> BoolArray:
    """(H, W) bool: bare or grown ground, seen and without snow."""
    cover, scl = cover_of(scene, grid, params), classes_on_grid(scene, grid)
    bare = cover.known & ~cover.hidden & ~maybe_snow(scene, grid, params)
    return bare if scl is None else bare & np.isin(scl, STABLE_CLASSES)


def maybe_snow(scene: Scene, grid: Grid, params: PrepareParams) -> BoolArray:
    """(H, W) bool: bright, or of higher snow index than rock, where the bands for it are there."""
    name = next((one for one in VISIBLE if one in scene.bands), None)
    snow = np.zeros(grid.shape, dtype=bool)
    if name:
        snow |= physical_on_grid(scene, name, grid, params) > GROUND_REFLECTANCE_MAX
    if "B03" in scene.bands and "B11" in scene.bands:
        green, swir = (physical_on_grid(scene, one, grid, params) for one in ("B03", "B11"))
        snow |= green - swir > GROUND_SNOW_INDEX_MAX * (green + swir)
    return snow
