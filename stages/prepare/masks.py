"""Mask what hides the surface, on the site's grid. Only here are the masks of scenes read."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, ByRows
from stages.common.geo.rows import strips
from stages.common.scene.harmonise import FIRST_BASELINE_WITH_OFFSET, baseline_of, made_locally
from stages.common.scene.scene import Scene
from stages.common.tables.prepare import SceneClasses
from stages.common.types import AnyArray, BoolArray, Rows
from stages.prepare.scene_pixels import ScenePixels
from stages.prepare.warp import to_grid_nearest

NO_DATA, SATURATED, DARK, SNOW = 0, 1, 2, 11
"""Classes of the Sentinel-2 scene classification (Sen2Cor, ATBD L2A) that are treated on their own."""

VISIBLE, GREEN, SWIR = ("B02", "B03", "B04"), "B03", "B11"
"""Bands that tell snow from rock."""

SNOW_REFLECTANCE_MIN = 0.5
"""In each visible band. Together with the index, 91 % of 5750 measured spectra of snow reach it, and 0.03 % of rock."""

SNOW_INDEX_MIN = 0.4
"""Normalised difference snow index of B03 and B11, Dozier 1989; Hall et al. 1995."""

FRACTION_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class SceneMasks:
    """Which pixels of the grid an acquisition shows."""

    has_data: Bits
    """(H, W) bool: every band has data."""
    hidden: Bits
    """(H, W) bool: cloud, its shadow, or a pixel that is not to be trusted."""
    classes: SceneClasses | None
    """Shares of the scene classes; None without a classification."""


def scene_masks(pixels: ScenePixels, grid: Grid, bands: Sequence[str]) -> SceneMasks:
    """Return which pixels of `grid` a scene shows in all of `bands`, and which it hides."""
    has_data, cloud = pixels.data_mask_on(grid, bands), cloud_on_grid(pixels, grid)
    classes = classes_on_grid(pixels, grid)
    if classes is None:
        return SceneMasks(has_data=has_data, hidden=Bits.of(cloud), classes=None)
    snow = functools.cache(lambda: is_snow_like(pixels, grid))  # its bands are read where there is anything to keep
    invalid = np.isin(np.arange(SNOW + 1), pixels.params.scl_invalid)
    hidden, counts, kept_px = Bits(grid.shape), np.zeros(SNOW + 1, dtype=np.int64), 0
    for rows in strips(grid.height):
        part = classes[rows]
        known = has_data[rows] & (part != NO_DATA)
        kept_snow = (part == SATURATED) & pixels.params.keep_saturated_snow
        if kept_snow.any():
            kept_snow &= snow()[rows]
        has_data[rows], hidden[rows] = known, cloud[rows] | (invalid[part] & ~kept_snow)
        counts += np.bincount(part[known], minlength=SNOW + 1)
        kept_px += int((kept_snow & known).sum())
    return SceneMasks(has_data=has_data, hidden=hidden, classes=_class_shares(pixels.scene, counts, kept_px, grid))


def cloud_on_grid(pixels: ScenePixels, grid: Grid) -> Rows:
    """Return (H, W) bool, True under cloud, by nearest neighbour; beyond the edge of a cloud mask all is cloud."""
    if pixels.scene.cloud_mask is None:
        return Bits(grid.shape)
    mask, source = pixels.plane(pixels.scene.cloud_mask)
    cloud = ByRows(mask.shape, np.dtype(np.uint8), lambda rows: (mask[rows] != 0).view(np.uint8))
    on_grid = to_grid_nearest(cloud, source, grid, outside=1, scratch=pixels.scratch)
    return ByRows(grid.shape, np.dtype(bool), lambda rows: on_grid[rows].view(bool))


def classes_on_grid(pixels: ScenePixels, grid: Grid) -> Rows | None:
    """Return (H, W) uint8 Sentinel-2 scene classes by nearest neighbour, 0 (no data) beyond their edge.

    Raises
    ------
    InputError
        A value is not a class.
    """
    if pixels.scene.scl is None:
        return None
    classes, source = pixels.plane(pixels.scene.scl)
    largest = max((int(classes[rows].max(initial=0)) for rows in strips(len(classes))), default=0)
    if largest > SNOW:
        raise InputError(
            "the scene classification holds values that are not classes",
            where=pixels.scene.scl,
            expected=f"{NO_DATA} to {SNOW}",
            found=largest,
            fix="give the product's SCL as it is",
        )
    return to_grid_nearest(classes, source, grid, outside=NO_DATA, scratch=pixels.scratch)


def is_snow_like(pixels: ScenePixels, grid: Grid) -> ByRows:
    """Return (H, W) bool, True where every visible band is bright and, if there is SWIR, the snow index is high."""
    bands = [pixels.values_on(grid, name) for name in VISIBLE if name in pixels.scene.bands]
    index_bands = snow_index_bands(pixels, grid)

    def snow(rows: slice) -> BoolArray:
        bright = np.full((rows.stop - rows.start, grid.width), bool(bands))
        for band in bands:
            bright &= band[rows] >= SNOW_REFLECTANCE_MIN
        if index_bands:
            green, swir = (band[rows] for band in index_bands)
            bright &= green - swir >= SNOW_INDEX_MIN * (green + swir)
        return bright

    return ByRows(grid.shape, np.dtype(bool), snow)


def snow_index_bands(pixels: ScenePixels, grid: Grid) -> tuple[Rows, Rows] | None:
    """Return `GREEN` and `SWIR`, (H, W) reflectance; None where one is absent."""
    bands = pixels.scene.bands
    return (pixels.values_on(grid, GREEN), pixels.values_on(grid, SWIR)) if GREEN in bands and SWIR in bands else None


def _class_shares(scene: Scene, counts: AnyArray, kept_snow_px: int, grid: Grid) -> SceneClasses:
    """Return the shares of the grid that classes with data, counted from 0 on, and saturated snow take."""
    size = grid.height * grid.width
    return SceneClasses(
        fractions={
            str(number): round(int(count) / size, FRACTION_DECIMALS) for number, count in enumerate(counts) if count
        },
        dark_pixels=_meaning_of_dark(scene),
        saturated_snow_kept_fraction=round(kept_snow_px / size, FRACTION_DECIMALS),
    )


def _meaning_of_dark(scene: Scene) -> Literal["dark area", "cast shadow"] | None:
    """Return the meaning of class 2: "cast shadow" from baseline 04.00 on, "dark area" before; None if unknown."""
    if scene.info.processing_baseline is None or made_locally(scene.info):
        return None
    return "cast shadow" if baseline_of(scene.info) >= FIRST_BASELINE_WITH_OFFSET else "dark area"
