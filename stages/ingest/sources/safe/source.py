"""Source ``safe``: Sentinel-2 products as downloaded from the Copernicus Data Space, in folders or zips."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stages.common.errors import InputError, ParamsError
from stages.common.params.ingest import SafeSourceParams
from stages.common.params.schema import Params
from stages.common.scene.scene import SCL, Layer, SceneInfo
from stages.ingest.input_files import resolve_path
from stages.ingest.region import Region
from stages.ingest.season import in_year, year_start
from stages.ingest.sources.acquisition import Acquisition, read_each, scene_id
from stages.ingest.sources.safe.masks import masks_of, remove_lost_pixels
from stages.ingest.sources.safe.metadata import BANDS, ProductMetadata, TileMetadata, product_metadata, tile_metadata
from stages.ingest.sources.safe.store import Store, UntrustedError, explain_read_errors, product_paths, stores
from stages.ingest.windowed import read_layer

log = logging.getLogger("ingest")

NATIVE_M = {
    "B01": 60, "B02": 10, "B03": 10, "B04": 10, "B05": 20, "B06": 20, "B07": 20, "B08": 10, "B8A": 20, "B09": 60,
    "B10": 60, "B11": 20, "B12": 20,
}  # fmt: skip
"""Pixel size of each band (Sentinel-2 User Handbook, table 1)."""

SCL_NATIVE_M = 20
DN_NODATA = 0.0


@dataclass(frozen=True, kw_only=True)
class Granule:
    """One tile of a product."""

    store: Store
    folder: str
    """Folder of the granule inside the product, as ``GRANULE/L2A_T44RLV_…``."""
    product: ProductMetadata
    tile: TileMetadata

    def file(self, layer: str, resolution_m: int) -> str | None:
        """Return the name of a layer's image, or None where the product lacks it."""
        size = max(resolution_m, SCL_NATIVE_M if layer == SCL else NATIVE_M[layer])
        tail = f"*_{layer.upper()}.jp2" if self.product.level == "L1C" else f"R{size}m/*_{layer.upper()}_{size}m.jp2"
        return next(iter(self.store.find(f"{self.folder}/IMG_DATA/{tail}")), None)

    def masks(self, band: str) -> list[str]:
        """Return the names of a band's raster masks, as the metadata list them."""
        return [f"{self.folder}/QI_DATA/{name}" for name in masks_of(self.tile.raster_masks, band)]


def acquisitions(params: Params, region: Region) -> Iterator[Acquisition]:
    """Yield one acquisition per tile of each product, of any day; metadata are checked here, pixels when read.

    Products that cannot be read, or lack a band, are left out with a warning.

    Raises
    ------
    ParamsError, InputError
        There is no product that can be used, a product is of another processing level, or a zip cannot be trusted.
    """
    safe = params.ingest.safe
    if safe is None:
        raise _no_section()
    _check_bands(params.prepare.imagery_bands, safe)
    folder, starts = resolve_path(safe.folder, where="ingest.safe.folder"), year_start(params, region)
    tiles_of = partial(_tiles_of, params.prepare.imagery_bands, safe)
    products = read_each(product_paths(folder), tiles_of, what="the product", fatal=(UntrustedError, WrongLevelError))
    tiles = [granule for product in products for granule in product]
    if safe.processing_level == "L1C":
        log.warning("L1C has no scene classification: clouds are not detected, so look at the scenes yourself")
    _note_masks(tiles)
    for granule in sorted(tiles, key=lambda granule: granule.tile.sensed):
        acquisition = _acquisition(granule, params.prepare.imagery_bands, safe.resolution_m, region)
        yield replace(acquisition, info=in_year(acquisition.info, starts))


def _tiles_of(bands: Sequence[str], safe: SafeSourceParams, path: Path) -> list[Granule]:
    tiles = [granule for store in stores(path) for granule in granules(store)]
    _check_levels(tiles, safe.processing_level)
    for granule in tiles:
        _check_files(granule, bands, safe.resolution_m)
    return tiles


def granules(store: Store) -> Iterator[Granule]:
    """Yield the tiles of a product.

    Raises
    ------
    InputError
        The metadata of the product or a tile are absent or cannot be read.
    """
    headers, tiles = store.find("MTD_MSIL[12][AaCc].xml"), store.find("GRANULE/*/MTD_TL.xml")
    if not headers or not tiles:
        raise InputError(
            "the Sentinel-2 product has no metadata",
            where=store.label(""),
            expected="MTD_MSIL2A.xml, and MTD_TL.xml in a folder of GRANULE",
            found=f"{len(store.names)} files, none of these",
            fix="download the whole product again",
        )
    product = product_metadata(store.read(headers[0]), store.label(headers[0]))
    for name in tiles:
        tile = tile_metadata(store.read(name), store.label(name))
        yield Granule(store=store, folder=name.removesuffix("/MTD_TL.xml"), product=product, tile=tile)


def info_of(granule: Granule) -> SceneInfo:
    """Return the metadata of a granule."""
    product, tile = granule.product, granule.tile
    name = product.uri.removesuffix(".SAFE")
    return SceneInfo(
        id=scene_id(name if tile.tile in name else f"{name}_T{tile.tile}"),
        year=product.sensed.year,
        acquired=product.sensed,
        product=product.uri,
        platform=product.platform,
        processing_level=product.level,
        processing_baseline=product.baseline,
        relative_orbit=product.relative_orbit,
        tile=tile.tile,
        sun_elevation_deg=tile.sun_elevation_deg,
        sun_azimuth_deg=tile.sun_azimuth_deg,
        convention="stated",
    )


def _acquisition(granule: Granule, bands: Sequence[str], resolution_m: int, region: Region) -> Acquisition:
    layer = partial(_layer, granule, resolution_m, region)
    names = [*bands, *([SCL] if granule.file(SCL, resolution_m) else [])]

    def layers() -> Iterator[Layer]:
        yield from (band for band in map(layer, names) if band is not None)

    return Acquisition(info=info_of(granule), layers=layers, layer_count=len(names), layer=layer)


def _layer(granule: Granule, resolution_m: int, region: Region, name: str) -> Layer | None:
    file = granule.file(name, resolution_m)
    if file is None:
        return None
    scale, offset = (1.0, 0.0) if name == SCL else granule.product.scale_and_offset(name)
    where = granule.store.label(file)
    with explain_read_errors(where):
        layer = read_layer(
            name, granule.store.gdal_path(file), region, where=where, nodata=None if name == SCL else DN_NODATA,
            scale=scale, offset=offset,
        )  # fmt: skip
    return remove_lost_pixels(layer, granule.store, granule.masks(name), region)


def _check_bands(required: Sequence[str], safe: SafeSourceParams) -> None:
    if unknown := [name for name in required if name not in BANDS]:
        raise ParamsError(
            "Sentinel-2 has no such band",
            where="params.yaml: prepare.bands",
            expected=f"bands among {list(BANDS)}",
            found=unknown,
            fix="use the names of Sentinel-2, such as B02",
        )
    if safe.processing_level == "L1C" and safe.resolution_m != min(NATIVE_M.values()):
        raise ParamsError(
            "L1C products hold each band only at its own resolution",
            where="params.yaml: ingest.safe.resolution_m",
            expected="10",
            found=safe.resolution_m,
            fix="set it to 10, or use L2A products",
        )


class WrongLevelError(InputError):
    """A product is of another processing level than the series."""


def _check_levels(granules: Sequence[Granule], level: str) -> None:
    if wrong := [granule for granule in granules if granule.product.level != level]:
        raise WrongLevelError(
            f"a product is not {level}; top-of-atmosphere and surface reflectance never mix",
            where=wrong[0].store.path,
            expected=f"only {level} (ingest.safe.processing_level)",
            found=", ".join(sorted({granule.product.level for granule in granules})),
            fix="move the others out of the folder, or set ingest.safe.processing_level for all",
        )


def _check_files(granule: Granule, required: Sequence[str], resolution_m: int) -> None:
    if missing := [name for name in required if granule.file(name, resolution_m) is None]:
        raise InputError(
            "the product lacks bands",
            where=granule.store.label(f"{granule.folder}/IMG_DATA"),
            expected=f"{list(required)} at {resolution_m} m or their own resolution",
            found=f"no image of {missing}",
            fix="download the whole product, or use coarser bands: ingest.safe.resolution_m 20 or 60",
        )
    if missing := [name for band in required for name in granule.masks(band) if name not in granule.store.names]:
        raise InputError(
            "the product lacks masks that its metadata name",
            where=granule.store.label(missing[0]),
            expected="detector footprints and quality masks of all bands",
            found=f"{len(missing)} masks absent",
            fix="download the whole product",
        )


def _note_masks(granules: Sequence[Granule]) -> None:
    if without := sum(not granule.tile.raster_masks for granule in granules):
        log.info(
            "%d of %d tiles have no raster masks of detectors and quality (usual before baseline 04.00): "
            "there only DN 0 marks missing data", without, len(granules),
        )  # fmt: skip


def _no_section() -> ParamsError:
    return ParamsError(
        "the source's parameters are absent",
        where="params.yaml: ingest.safe",
        expected="a section with the key folder",
        found="nothing",
        fix="add ingest.safe.folder, the folder of the downloads",
    )
