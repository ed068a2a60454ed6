"""What the pixels of a candidate say about the site: where there is data, where the surface is seen, where snow lies.

Everything is judged at full resolution on the site's grid, by nearest neighbour; a tile's own cloud percentage says
nothing of the glacier.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.warp
from rasterio.enums import Resampling

from stages.common.errors import InputError
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import known_pixels
from stages.common.geo.vectors import inside
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import CLOUD_MASK, SCL, Band, Layer, Scene
from stages.common.types import AnyArray, BoolArray, Float32Array, UInt8Array
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition

NO_DATA, SATURATED, SNOW = 0, 1, 11
"""Classes of the Sentinel-2 scene classification (Sen2Cor, L2A ATBD)."""

HIDING = frozenset({3, 8, 9, 10})
"""Cloud shadow, cloud of medium and high probability, cirrus: `prepare.scl_invalid` as it is by default."""

SNOW_INDEX_MIN, SNOW_RED_MIN = 0.4, 0.2
"""NDSI of B03 and B11, and reflectance in B04, of snow (Gascoin et al. 2019, Theia Snow collection, first pass)."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where to look, as (H, W) masks on the site's grid."""

    grid: Grid
    aoi: BoolArray
    glacier: BoolArray
    """Outlines within the AOI."""
    around: BoolArray
    """Ground within the buffer around the outlines, within the AOI."""
    area_km2: AnyArray
    """(H, W) float64: area of each pixel."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one acquisition shows; bits of masks, packed (`numpy.packbits`)."""

    covered: UInt8Array
    """Over the grid, within the AOI: there is data."""
    clear: UInt8Array
    """Data, and the surface is seen."""


@dataclass(frozen=True, kw_only=True)
class Snow:
    """Snow on the visible ground around the outlines."""

    fraction: float
    """Of the visible ground; 1 where none is visible, for nothing speaks for such a scene."""
    area_km2: float


def site_of(region: Region, outlines: Any, *, snow_buffer_m: float) -> Site:
    """Masks of AOI, outlines and their surroundings on the site's grid.

    Raises
    ------
    InputError
        The outlines cover no pixel of the AOI.
    """
    grid = region.grid
    shapes = outlines.to_crs(grid.crs).geometry
    aoi = inside(region.aoi.to_crs(grid.crs).geometry, grid)
    glacier = inside(shapes, grid) & aoi
    if not glacier.any():
        raise InputError(
            "the outlines cover no pixel of the AOI",
            where="params.yaml: ingest.outlines, ingest.aoi",
            expected=f"a glacier larger than a pixel of {grid.pixel_size_m:g} m",
            found=f"{len(outlines)} outline(s) that only touch it",
            fix="correct ingest.aoi, or give the outlines of this place",
        )
    around = inside(shapes.buffer(snow_buffer_m), grid) & aoi & ~glacier
    return Site(grid=grid, aoi=aoi, glacier=glacier, around=around, area_km2=pixel_area_km2(grid))


def look_at(candidate: Acquisition, site: Site, hiding: Collection[int] = HIDING) -> Look:
    """Where a candidate has data, and where it shows the surface: by SCL, else by a cloud mask, else wherever data is.

    Raises
    ------
    InputError
        A layer cannot be read.
    """
    layers = read_layers(candidate, [SCL])
    if SCL in layers:
        scl = nearest(layers[SCL].pixels, layers[SCL].grid, site.grid, outside=NO_DATA)
        covered = (scl != NO_DATA) & site.aoi
        clear = covered & ~np.isin(scl, list(hiding))
    else:
        covered, clear = _without_scl(candidate, site)
    return Look(covered=pack(covered), clear=pack(clear))


def _without_scl(candidate: Acquisition, site: Site) -> tuple[BoolArray, BoolArray]:
    layers = list(candidate.layers())
    first = layers[0]
    known = known_pixels(first.pixels, first.nodata).astype(np.uint8)
    covered = (nearest(known, first.grid, site.grid, outside=0) == 1) & site.aoi
    clear = covered
    for mask in (layer for layer in layers if layer.name == CLOUD_MASK):
        clear = covered & (nearest((mask.pixels != 0).astype(np.uint8), mask.grid, site.grid, outside=1) == 0)
    return covered, clear


def snow_around(candidate: Acquisition, site: Site, hiding: Collection[int] = HIDING) -> tuple[BoolArray, BoolArray]:
    """(H, W) bool twice: visible ground around the outlines, and the snow on it.

    By B03, B04 and B11; where one of them is absent, by class 11 of the scene classification.

    Raises
    ------
    InputError
        A layer cannot be read, or what its DN mean is not known.
    """
    look = look_at(candidate, site, hiding)
    seen = unpack(look.clear, site.grid) & site.around
    layers = read_layers(candidate, ["B03", "B04", "B11"])
    if len(layers) == 3:
        green, red, swir = (_reflectance(candidate, layers[name], site.grid) for name in ("B03", "B04", "B11"))
        with np.errstate(invalid="ignore"):
            snow = (green - swir > SNOW_INDEX_MIN * (green + swir)) & (red > SNOW_RED_MIN)
        seen = seen & ~np.isnan(green + red + swir)
    elif classes := read_layers(candidate, [SCL]):
        snow = nearest(classes[SCL].pixels, classes[SCL].grid, site.grid, outside=NO_DATA) == SNOW
    else:
        return np.zeros_like(seen), np.zeros_like(seen)
    return seen, snow & seen


def snow_of(tiles: Collection[Acquisition], site: Site, hiding: Collection[int] = HIDING) -> Snow:
    """Snow over all tiles of a date together."""
    seen, snow = np.zeros(site.grid.shape, dtype=bool), np.zeros(site.grid.shape, dtype=bool)
    for tile in tiles:
        shown, white = snow_around(tile, site, hiding)
        snow |= white & ~seen
        seen |= shown
    visible = int(seen.sum())
    return Snow(fraction=float(snow.sum() / visible) if visible else 1.0, area_km2=float(site.area_km2[snow].sum()))


def read_layers(candidate: Acquisition, names: list[str]) -> dict[str, Layer]:
    """Those of the named layers that a candidate has."""
    if candidate.layer is None:
        return {layer.name: layer for layer in candidate.layers() if layer.name in names}
    found = {name: candidate.layer(name) for name in names}
    return {name: layer for name, layer in found.items() if layer is not None}


def _reflectance(candidate: Acquisition, layer: Layer, grid: Grid) -> Float32Array:
    """(H, W) float32 on `grid`, NaN where unknown."""
    band = Band(path=Path(), dtype=str(layer.pixels.dtype), nodata=layer.nodata, scale=layer.scale, offset=layer.offset)
    how = calibration_of(Scene(info=replace(candidate.info), bands={layer.name: band}), layer.name)
    values = layer.pixels.astype(np.float32) * np.float32(how.scale) + np.float32(how.offset)
    values[~known_pixels(layer.pixels, layer.nodata)] = np.nan
    return nearest(values, layer.grid, grid, outside=np.nan)


def nearest(pixels: AnyArray, source: Grid, target: Grid, *, outside: float) -> AnyArray:
    """(H, W) on `target`, `outside` where the source does not reach."""
    result = np.full(target.shape, outside, dtype=pixels.dtype)
    rasterio.warp.reproject(
        pixels, result, src_transform=source.transform, src_crs=source.crs, dst_transform=target.transform,
        dst_crs=target.crs, resampling=Resampling.nearest, init_dest_nodata=False,
    )  # fmt: skip
    return result


def pack(mask: BoolArray) -> UInt8Array:
    """Eight pixels in a byte: a season's candidates are held at once."""
    return np.packbits(mask)


def unpack(bits: UInt8Array, grid: Grid) -> BoolArray:
    """The inverse of `pack`."""
    return np.unpackbits(bits, count=grid.height * grid.width).reshape(grid.shape).astype(bool)


def count(bits: UInt8Array) -> int:
    """Number of pixels set."""
    return int(np.bitwise_count(bits).sum())
