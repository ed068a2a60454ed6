"""What the pixels of an acquisition show of the site: where it has data, and where the surface is visible.

Everything is judged at full resolution on the site's grid, by nearest neighbour. The cloud percentage that a product
states for its whole tile is not used: it says nothing about the glaciers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import pixels_with_data
from stages.common.geo.resample import resample_nearest
from stages.common.geo.vectors import pixels_inside
from stages.common.scene.scene import CLOUD_MASK, SCL, Layer
from stages.common.types import AnyArray, BoolArray, UInt8Array
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition

NO_DATA, SATURATED, SNOW_CLASS = 0, 1, 11
"""Classes of the Sentinel-2 scene classification (Sen2Cor, L2A ATBD)."""

HIDING_CLASSES = frozenset({3, 8, 9, 10})
"""Cloud shadow, cloud of medium and high probability, cirrus: the default of `prepare.scl_invalid`."""


@dataclass(frozen=True, kw_only=True)
class SiteMasks:
    """Parts of the site, as (H, W) masks on its grid."""

    grid: Grid
    aoi: BoolArray
    glacier: BoolArray
    """Pixels inside the outlines and the AOI."""
    around: BoolArray
    """Ground within the snow buffer around the outlines, inside the AOI."""
    area_km2: AnyArray
    """(H, W) float64: area of each pixel."""


@dataclass(frozen=True, kw_only=True)
class TileVisibility:
    """What one acquisition shows, as masks on the site's grid, packed by `pack_mask`."""

    covered: UInt8Array
    """Pixels inside the AOI where the acquisition has data."""
    clear: UInt8Array
    """Covered pixels where the surface is visible."""
    snow_class: UInt8Array | None
    """Pixels that the scene classification calls snow; None where the acquisition has no scene classification."""


@dataclass(frozen=True, kw_only=True)
class ScreenedTile:
    """An acquisition and what its pixels show, so that nothing has to be read twice."""

    acquisition: Acquisition
    visibility: TileVisibility


def site_masks(region: Region, outlines: Any, *, snow_buffer_m: float) -> SiteMasks:
    """Return the masks of the AOI, the outlines and their surroundings on the site's grid.

    Raises
    ------
    InputError
        The outlines cover no pixel of the AOI.
    """
    grid = region.grid
    shapes = outlines.to_crs(grid.crs).geometry
    aoi = pixels_inside(region.aoi.to_crs(grid.crs).geometry, grid)
    glacier = pixels_inside(shapes, grid) & aoi
    if not glacier.any():
        raise InputError(
            "the outlines cover no pixel of the AOI",
            where="params.yaml: ingest.outlines, ingest.aoi",
            expected=f"a glacier larger than a pixel of {grid.pixel_size_m:g} m",
            found=f"{len(outlines)} outline(s) that only touch the AOI",
            fix="correct ingest.aoi, or give the outlines of this place",
        )
    around = pixels_inside(shapes.buffer(snow_buffer_m), grid) & aoi & ~glacier
    return SiteMasks(grid=grid, aoi=aoi, glacier=glacier, around=around, area_km2=pixel_area_km2(grid))


def tile_visibility(
    acquisition: Acquisition, site: SiteMasks, hiding: Collection[int] = HIDING_CLASSES
) -> TileVisibility:
    """Return where an acquisition has data and where it shows the surface.

    The scene classification decides; without one the cloud mask; without either every pixel with data is clear.

    Raises
    ------
    InputError
        A layer cannot be read.
    """
    layers = read_layers(acquisition, [SCL])
    if SCL not in layers:
        covered, clear = _without_scl(acquisition, site)
        return TileVisibility(covered=pack_mask(covered), clear=pack_mask(clear), snow_class=None)
    scl = resample_nearest(layers[SCL].pixels, layers[SCL].grid, site.grid, outside=NO_DATA)
    covered = (scl != NO_DATA) & site.aoi
    clear = covered & ~np.isin(scl, list(hiding))
    return TileVisibility(covered=pack_mask(covered), clear=pack_mask(clear), snow_class=pack_mask(scl == SNOW_CLASS))


def _without_scl(acquisition: Acquisition, site: SiteMasks) -> tuple[BoolArray, BoolArray]:
    layers = list(acquisition.layers())
    band = layers[0]
    has_data = pixels_with_data(band.pixels, band.nodata).astype(np.uint8)
    covered = (resample_nearest(has_data, band.grid, site.grid, outside=0) == 1) & site.aoi
    clear = covered
    for mask in (layer for layer in layers if layer.name == CLOUD_MASK):
        cloud = (mask.pixels != 0).astype(np.uint8)
        clear = covered & (resample_nearest(cloud, mask.grid, site.grid, outside=1) == 0)
    return covered, clear


def read_layers(acquisition: Acquisition, names: list[str]) -> dict[str, Layer]:
    """Read those of the named layers that an acquisition has."""
    if acquisition.layer is None:
        return {layer.name: layer for layer in acquisition.layers() if layer.name in names}
    layers = {name: acquisition.layer(name) for name in names}
    return {name: layer for name, layer in layers.items() if layer is not None}


def pack_mask(mask: BoolArray) -> UInt8Array:
    """Pack eight pixels of a mask (H, W) in a byte: the masks of a whole season are in memory together."""
    return np.packbits(mask)


def unpack_mask(bits: UInt8Array, grid: Grid) -> BoolArray:
    """Return the mask (H, W) that `pack_mask` has packed."""
    return np.unpackbits(bits, count=grid.height * grid.width).reshape(grid.shape).astype(bool)


def count_pixels(bits: UInt8Array) -> int:
    """Return how many pixels of a packed mask are set."""
    return int(np.bitwise_count(bits).sum())
