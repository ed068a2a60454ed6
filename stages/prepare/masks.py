"""What hides the surface, on the site's grid. The one place where masks are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, open_raster
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import FIRST_BASELINE_WITH_OFFSET, baseline_of
from stages.common.scene.scene import Scene
from stages.common.tables.prepare import SceneClasses
from stages.common.types import AnyArray, BoolArray
from stages.prepare.pixels import known_on_grid, physical_on_grid
from stages.prepare.warp import nearest

NO_DATA, SATURATED, DARK, SNOW = 0, 1, 2, 11
"""Classes of the Sentinel-2 scene classification (Sen2Cor, ATBD L2A) that are treated on their own."""

VISIBLE = ("B02", "B03", "B04")
SNOW_REFLECTANCE_MIN = 0.5
"""In each visible band. With the index below 91 % of 5750 measured spectra of snow reach it, 0.03 % of rock's."""

SNOW_INDEX_MIN = 0.4
"""Normalised difference snow index of B03 and B11, Dozier 1989; Hall et al. 1995."""

FRACTION_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What an acquisition shows of the site."""

    known: BoolArray
    """(H, W) bool: every band has data."""
    hidden: BoolArray
    """(H, W) bool: cloud, its shadow, or a pixel that is not to be trusted."""
    classes: SceneClasses | None
    """Shares of the scene classes, where there is a classification."""


def cover_of(scene: Scene, grid: Grid, params: PrepareParams) -> Cover:
    """What a scene shows on `grid`."""
    known, hidden = known_on_grid(scene, grid, params), cloud_on_grid(scene, grid)
    scl = classes_on_grid(scene, grid)
    if scl is None:
        return Cover(known=known, hidden=hidden, classes=None)
    known &= scl != NO_DATA
    invalid, saved = np.isin(scl, params.scl_invalid), np.zeros(grid.shape, dtype=bool)
    if params.keep_saturated_snow and (scl == SATURATED).any():
        saved = (scl == SATURATED) & snow_like(scene, grid, params)
    return Cover(known=known, hidden=hidden | (invalid & ~saved), classes=_shares(scene, scl, known, saved))


def cloud_on_grid(scene: Scene, grid: Grid) -> BoolArray:
    """(H, W) bool: cloud, by nearest neighbour. Where a given mask does not reach nothing is known: cloud."""
    if scene.cloud_mask is None:
        return np.zeros(grid.shape, dtype=bool)
    with open_raster(scene.cloud_mask) as dataset:
        mask = nearest((dataset.read(1) != 0).astype("uint8"), grid_of(dataset), grid, outside=1)
    return np.asarray(mask == 1)


def classes_on_grid(scene: Scene, grid: Grid) -> AnyArray | None:
    """(H, W) uint8: Sentinel-2 scene classes by nearest neighbour, 0 (no data) where they do not reach.

    Raises
    ------
    InputError
        A value is no class.
    """
    if scene.scl is None:
        return None
    with open_raster(scene.scl) as dataset:
        scl = np.asarray(dataset.read(1))
        source = grid_of(dataset)
    if scl.max(initial=0) > SNOW:
        raise InputError(
            "the scene classification holds values that are no class",
            where=scene.scl,
            expected=f"{NO_DATA} to {SNOW}",
            found=int(scl.max()),
            fix="give the product's SCL as it is",
        )
    return nearest(scl, source, grid, outside=NO_DATA)


def snow_like(scene: Scene, grid: Grid, params: PrepareParams) -> BoolArray:
    """(H, W) bool: bright in every visible band there is and, where SWIR is there too, of high snow index."""
    visible = {name: physical_on_grid(scene, name, grid, params) for name in VISIBLE if name in scene.bands}
    bright = np.full(grid.shape, bool(visible))
    for values in visible.values():
        bright &= values >= SNOW_REFLECTANCE_MIN
    if "B03" in visible and "B11" in scene.bands:
        green, swir = visible["B03"], physical_on_grid(scene, "B11", grid, params)
        bright &= green - swir >= SNOW_INDEX_MIN * (green + swir)
    return bright


def _shares(scene: Scene, scl: AnyArray, known: BoolArray, saved: BoolArray) -> SceneClasses:
    counts = np.bincount(scl[known], minlength=SNOW + 1)
    return SceneClasses(
        fractions={str(number): round(count / scl.size, FRACTION_DECIMALS) for number, count in _present(counts)},
        dark_pixels=_meaning_of_dark(scene),
        saturated_snow_kept_fraction=round(float((saved & known).mean()), FRACTION_DECIMALS),
    )


def _present(counts: AnyArray) -> Sequence[tuple[int, int]]:
    return [(number, int(count)) for number, count in enumerate(counts) if count]


def _meaning_of_dark(scene: Scene) -> Literal["dark area", "cast shadow"] | None:
    """Class 2 was "dark area" before baseline 04.00 and is "cast shadow" from then on; None: baseline unknown."""
    if scene.info.processing_baseline is None:
        return None
    return "cast shadow" if baseline_of(scene.info) >= FIRST_BASELINE_WITH_OFFSET else "dark area"
