"""Mask what hides the surface, on the site's grid. Only here are the masks of scenes read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Plane
from stages.common.geo.rows import strips
from stages.common.scene.harmonise import FIRST_BASELINE_WITH_OFFSET, baseline_of, made_locally
from stages.common.scene.scene import Scene
from stages.common.tables.prepare import SceneClasses
from stages.common.types import AnyArray, BoolArray, Float32Array
from stages.prepare.parallel_axes import STRIP_ROWS
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

    has_data: BoolArray
    """(H, W) bool: every band has data."""
    hidden: BoolArray
    """(H, W) bool: cloud, its shadow, or a pixel that is not to be trusted."""
    classes: SceneClasses | None
    """Shares of the scene classes; None without a classification."""


def scene_masks(pixels: ScenePixels, grid: Grid, bands: Sequence[str]) -> SceneMasks:
    """Return which pixels of `grid` a scene shows in all of `bands`, and which it hides."""
    has_data, hidden = pixels.data_mask_on(grid, bands), cloud_on_grid(pixels, grid)
    classes = classes_on_grid(pixels, grid)
    if classes is None:
        return SceneMasks(has_data=has_data, hidden=hidden, classes=None)
    has_data &= classes != NO_DATA
    kept_snow = np.zeros(grid.shape, dtype=bool)
    if pixels.params.keep_saturated_snow and (classes == SATURATED).any():
        kept_snow = (classes == SATURATED) & is_snow_like(pixels, grid)
    shares = _class_shares(pixels.scene, classes, has_data, kept_snow)
    invalid = np.isin(classes, pixels.params.scl_invalid)
    return SceneMasks(has_data=has_data, hidden=hidden | (invalid & ~kept_snow), classes=shares)


def cloud_on_grid(pixels: ScenePixels, grid: Grid) -> BoolArray:
    """Return (H, W) bool, True under cloud, by nearest neighbour; beyond the edge of a cloud mask all is cloud."""
    if pixels.scene.cloud_mask is None:
        return np.zeros(grid.shape, dtype=bool)
    mask, source = pixels.plane(pixels.scene.cloud_mask)
    return np.asarray(to_grid_nearest((mask[:] != 0).astype("uint8"), source, grid, outside=1) == 1)


def classes_on_grid(pixels: ScenePixels, grid: Grid) -> AnyArray | None:
    """Return (H, W) uint8 Sentinel-2 scene classes by nearest neighbour, 0 (no data) beyond their edge.

    Raises
    ------
    InputError
        A value is not a class.
    """
    if pixels.scene.scl is None:
        return None
    plane, source = pixels.plane(pixels.scene.scl)
    classes = plane[:]
    if classes.max(initial=0) > SNOW:
        raise InputError(
            "the scene classification holds values that are not classes",
            where=pixels.scene.scl,
            expected=f"{NO_DATA} to {SNOW}",
            found=int(classes.max()),
            fix="give the product's SCL as it is",
        )
    return to_grid_nearest(classes, source, grid, outside=NO_DATA)


def is_snow_like(pixels: ScenePixels, grid: Grid) -> BoolArray:
    """Return (H, W) bool, True where every visible band is bright and, if there is SWIR, the snow index is high."""
    visible = [name for name in VISIBLE if name in pixels.scene.bands]
    bright = np.full(grid.shape, bool(visible))
    for name in visible:
        bright &= pixels.values_on(grid, name) >= SNOW_REFLECTANCE_MIN
    if GREEN in visible and SWIR in pixels.scene.bands:
        for rows, difference, total in snow_index_parts(pixels, grid):
            bright[rows] &= difference >= SNOW_INDEX_MIN * total
    return bright


def snow_index_parts(pixels: ScenePixels, grid: Grid) -> Iterator[tuple[slice, Float32Array, Float32Array]]:
    """Yield strips of `grid`: their rows, and difference and sum (rows, W) of `GREEN` and `SWIR`."""
    green, swir = (Plane.of(pixels.scratch, pixels.values_on(grid, name)) for name in (GREEN, SWIR))
    for rows in strips(grid.height, STRIP_ROWS):
        yield rows, green[rows] - swir[rows], green[rows] + swir[rows]


def _class_shares(scene: Scene, classes: AnyArray, has_data: BoolArray, kept_snow: BoolArray) -> SceneClasses:
    counts = np.bincount(classes[has_data], minlength=SNOW + 1)
    return SceneClasses(
        fractions={
            str(number): round(int(count) / classes.size, FRACTION_DECIMALS)
            for number, count in enumerate(counts)
            if count
        },
        dark_pixels=_meaning_of_dark(scene),
        saturated_snow_kept_fraction=round(float((kept_snow & has_data).mean()), FRACTION_DECIMALS),
    )


def _meaning_of_dark(scene: Scene) -> Literal["dark area", "cast shadow"] | None:
    """Return the meaning of class 2: "cast shadow" from baseline 04.00 on, "dark area" before; None if unknown."""
    if scene.info.processing_baseline is None or made_locally(scene.info):
        return None
    return "cast shadow" if baseline_of(scene.info) >= FIRST_BASELINE_WITH_OFFSET else "dark area"
