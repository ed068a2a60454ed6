"""Source ``safe``: Sentinel-2 products as downloaded from the Copernicus Data Space, in folders or zips."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from stages.common.errors import InputError, ParamsError
from stages.common.params.ingest import SafeSourceParams
from stages.common.params.schema import Params
from stages.common.scene.scene import SCL, Layer, SceneInfo
from stages.ingest.input_files import resolve_path
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition, scene_id
from stages.ingest.sources.safe.masks import masks_of, without_lost
from stages.ingest.sources.safe.metadata import BANDS, ProductMetadata, TileMetadata, product_metadata, tile_metadata
from stages.ingest.sources.safe.store import Store, readable, stores
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
    """As ``GRANULE/L2A_T44RLV_…``."""
    product: ProductMetadata
    tile: TileMetadata

    def file(self, layer: str, resolution_m: int) -> str | None:
        """Name of a layer's image, or None where the product lacks it."""
        size = max(resolution_m, SCL_NATIVE_M if layer == SCL else NATIVE_M[layer])
        tail = f"*_{layer.upper()}.jp2" if self.product.level == "L1C" else f"R{size}m/*_{layer.upper()}_{size}m.jp2"
        found = self.store.find(f"{self.folder}/IMG_DATA/{tail}")
        return found[0] if found else None

    def masks(self, band: str) -> list[str]:
        """Names of a band's raster masks, as the metadata list them."""
        return [f"{self.folder}/QI_DATA/{name}" for name in masks_of(self.tile.raster_masks, band)]


def acquisitions(params: Params, region: Region) -> Iterator[Acquisition]:
    """One candidate a tile of each product, of whatever day; metadata are checked here, pixels when read.

    Raises
    ------
    ParamsError, InputError
        No product, one that cannot be read or lacks a band, or one of another processing level.
    """
    safe = params.ingest.safe
    if safe is None:
        raise _no_section()
    _check_bands(params.prepare.imagery_bands, safe)
    found = [one for store in stores(resolve_path(safe.folder, where="ingest.safe.folder")) for one in granules(store)]
    _check_levels(found, safe.processing_level)
    if safe.processing_level == "L1C":
        log.warning("L1C has no scene classification: cloud is not judged, look at the scenes")
    for one in found:
        _check_files(one, params.prepare.imagery_bands, safe.resolution_m)
    _note_masks(found)
    for one in sorted(found, key=lambda granule: granule.tile.sensed):
        yield _acquisition(one, params.prepare.imagery_bands, safe.resolution_m, region)


def granules(store: Store) -> Iterator[Granule]:
    """Tiles of a product.

    Raises
    ------
    InputError
        The metadata of product or tile are absent or cannot be read.
    """
    headers, tiles = store.find("MTD_MSIL[12][AaCc].xml"), store.find("GRANULE/*/MTD_TL.xml")
    if not headers or not tiles:
        raise InputError(
            "the Sentinel-2 product has no metadata",
            where=store.where(""),
            expected="MTD_MSIL2A.xml, and MTD_TL.xml in a folder of GRANULE",
            found=f"{len(store.names)} other files",
            fix="download it again, whole",
        )
    product = product_metadata(store.read(headers[0]), store.where(headers[0]))
    for name in tiles:
        tile = tile_metadata(store.read(name), store.where(name))
        yield Granule(store=store, folder=name.removesuffix("/MTD_TL.xml"), product=product, tile=tile)


def info_of(granule: Granule) -> SceneInfo:
    """What the metadata say of a granule."""
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
        yield from (one for one in map(layer, names) if one is not None)

    return Acquisition(info=info_of(granule), layers=layers, layer_count=len(names), layer=layer)


def _layer(granule: Granule, resolution_m: int, region: Region, name: str) -> Layer | None:
    file = granule.file(name, resolution_m)
    if file is None:
        return None
    scale, offset = (1.0, 0.0) if name == SCL else granule.product.scale_and_offset(name)
    where = granule.store.where(file)
    with readable(where):
        layer = read_layer(
            name, granule.store.gdal(file), region, where=where, nodata=None if name == SCL else DN_NODATA,
            scale=scale, offset=offset,
        )  # fmt: skip
    return without_lost(layer, granule.store, granule.masks(name), region)


def _check_bands(wanted: Sequence[str], safe: SafeSourceParams) -> None:
    if unknown := [name for name in wanted if name not in BANDS]:
        raise ParamsError(
            "Sentinel-2 has no such band",
            where="params.yaml: prepare.bands",
            expected=f"some of {list(BANDS)}",
            found=unknown,
            fix="name the bands as Sentinel-2 does, as B02",
        )
    if safe.processing_level == "L1C" and safe.resolution_m != min(NATIVE_M.values()):
        raise ParamsError(
            "L1C products hold each band at its own resolution only",
            where="params.yaml: ingest.safe.resolution_m",
            expected="10",
            found=safe.resolution_m,
            fix="set it to 10, or take L2A",
        )


def _check_levels(found: Sequence[Granule], wanted: str) -> None:
    if others := [one for one in found if one.product.level != wanted]:
        raise InputError(
            f"{len(others)} product(s) are not {wanted}; top-of-atmosphere and surface reflectance never mix",
            where=others[0].store.path,
            expected=f"{wanted} only (ingest.safe.processing_level)",
            found=", ".join(sorted({one.product.level for one in found})),
            fix="move the others out of the folder, or set ingest.safe.processing_level for all",
        )


def _check_files(granule: Granule, wanted: Sequence[str], resolution_m: int) -> None:
    if missing := [name for name in wanted if granule.file(name, resolution_m) is None]:
        raise InputError(
            "the product lacks bands",
            where=granule.store.where(f"{granule.folder}/IMG_DATA"),
            expected=f"{list(wanted)} at {resolution_m} m or their own resolution",
            found=f"no image of {missing}",
            fix="download the whole product; coarser bands: ingest.safe.resolution_m 20 or 60",
        )
    if missing := [name for band in wanted for name in granule.masks(band) if name not in granule.store.names]:
        raise InputError(
            "the product lacks masks that its metadata name",
            where=granule.store.where(missing[0]),
            expected="detector footprints and quality masks of all bands",
            found=f"{len(missing)} absent",
            fix="download the whole product",
        )


def _note_masks(found: Sequence[Granule]) -> None:
    if without := sum(not one.tile.raster_masks for one in found):
        log.info(
            "%d of %d tiles have no raster masks of detectors and quality (usual before baseline 04.00): "
            "only DN 0 is no data there", without, len(found),
        )  # fmt: skip


def _no_section() -> ParamsError:
    return ParamsError(
        "the source's parameters are absent",
        where="params.yaml: ingest.safe",
        expected="folder",
        found="nothing",
        fix="add ingest.safe.folder: the folder with the downloads",
    )
