"""Snow on the ground around the outlines, the sign of a scene in which seasonal snow may hide the glaciers' edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.raster import pixels_with_data
from stages.common.geo.resample import resample_nearest
from stages.common.scene.harmonise import calibration_of_info, to_physical
from stages.common.scene.scene import Layer, SceneInfo
from stages.common.types import AnyArray, BoolArray
from stages.ingest.choice.visibility import ScreenedTile, SiteMasks, read_layers, unpack_mask

SNOW_INDEX_MIN, SNOW_RED_MIN = 0.4, 0.2
"""NDSI of B03 and B11, and reflectance in B04, of snow (Gascoin et al. 2019, Theia Snow collection, first pass)."""


@dataclass(frozen=True, kw_only=True)
class SnowCover:
    """Snow on the visible ground around the outlines."""

    fraction: float
    """Snow-covered share of the visible ground; 1 where no ground is visible, for nothing speaks for such a scene."""
    area_km2: float


def snow_around_outlines(tiles: Iterable[ScreenedTile], site: SiteMasks) -> SnowCover:
    """Measure the snow over all tiles of a candidate together.

    Raises
    ------
    InputError
        A layer cannot be read, or what its DN mean is unknown.
    """
    visible, snow = np.zeros(site.grid.shape, dtype=bool), np.zeros(site.grid.shape, dtype=bool)
    for tile in tiles:
        tile_visible, tile_snow = _tile_snow(tile, site)
        snow |= tile_snow & ~visible
        visible |= tile_visible
    pixels = int(visible.sum())
    return SnowCover(fraction=float(snow.sum() / pixels) if pixels else 1.0, area_km2=float(site.area_km2[snow].sum()))


def _tile_snow(tile: ScreenedTile, site: SiteMasks) -> tuple[BoolArray, BoolArray]:
    """Return the visible ground around the outlines and the snow on it, (H, W) each.

    Snow is judged by B03, B04 and B11; where one of them is absent, by the scene classification.
    """
    visible = unpack_mask(tile.visibility.clear, site.grid) & site.around
    layers = read_layers(tile.acquisition, ["B03", "B04", "B11"])
    if len(layers) == 3:
        info = tile.acquisition.info
        green, red, swir = (_reflectance(info, layers[name], site.grid) for name in ("B03", "B04", "B11"))
        with np.errstate(invalid="ignore"):
            snow = (green - swir > SNOW_INDEX_MIN * (green + swir)) & (red > SNOW_RED_MIN)
        visible = visible & ~np.isnan(green + red + swir)
    elif tile.visibility.snow_class is not None:
        snow = unpack_mask(tile.visibility.snow_class, site.grid)
    else:
        return np.zeros_like(visible), np.zeros_like(visible)
    return visible, snow & visible


def _reflectance(info: SceneInfo, layer: Layer, grid: Grid) -> AnyArray:
    """Return the reflectance of a layer on `grid`, (H, W) float32, NaN where it is unknown."""
    calibration = calibration_of_info(info, scale=layer.scale, offset=layer.offset)
    values = to_physical(layer.pixels, pixels_with_data(layer.pixels, layer.nodata), calibration)
    return resample_nearest(values, layer.grid, grid, outside=np.nan)
