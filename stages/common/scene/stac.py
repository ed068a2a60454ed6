"""Stored scenes as STAC: an item says what `stages.common.scene.scene.Scene` holds, in the standard's own fields."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import shapely
from pyproj import CRS, Transformer
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import DataType, RasterBand, RasterExtension

from stages.common.geo.raster import read_grid
from stages.common.run.outputs import write_json
from stages.common.scene.scene import CLOUD_MASK, SCL, Band, Scene, SceneInfo
from stages.common.types import AnyArray

EXTENSIONS = {
    "processing": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "sat": "https://stac-extensions.github.io/sat/v1.0.0/schema.json",
    "grid": "https://stac-extensions.github.io/grid/v1.1.0/schema.json",
    "view": "https://stac-extensions.github.io/view/v1.0.0/schema.json",
}

MGRS = "MGRS-"

FIELDS = {
    "title": "product",
    "platform": "platform",
    "processing:level": "processing_level",
    "processing:version": "processing_baseline",
    "sat:relative_orbit": "relative_orbit",
    "grid:code": "tile",
    "view:sun_elevation": "sun_elevation_deg",
    "view:sun_azimuth": "sun_azimuth_deg",
    "glacier:dn_convention": "convention",
    "earthsearch:boa_offset_applied": "boa_offset_applied",
}
"""STAC property to field of `SceneInfo`."""

MASKS = {CLOUD_MASK: "cloud mask: not 0 is cloud", SCL: "Sentinel-2 scene classification, 0-11"}
"""Asset key (and field of `Scene`) to title."""

DEGREE_DECIMALS = 6
"""Footprints to 0.1 m: beyond that they would differ between versions of PROJ."""


def item_of(scene: Scene) -> pystac.Item:
    """Return the STAC item of a stored scene; the hrefs of its assets are relative to the item."""
    extent = footprint(band.path for band in scene.bands.values())
    item = pystac.Item(
        id=scene.info.id,
        geometry=shapely.geometry.mapping(extent),
        bbox=[float(value) for value in extent.bounds],
        **_times(scene.info),
        properties=_properties(scene.info),
    )
    prefixes = {name.split(":")[0] for name in item.properties}
    item.stac_extensions = [uri for prefix, uri in EXTENSIONS.items() if prefix in prefixes]
    _add_grid(item, next(iter(scene.bands.values())).path)
    for name, band in scene.bands.items():
        item.add_asset(name, _asset(name, band.path, "data"))
        described = RasterBand.create(
            nodata="nan" if band.nodata is not None and math.isnan(band.nodata) else band.nodata,
            data_type=DataType(band.dtype),
            scale=band.scale,
            offset=band.offset,
        )
        RasterExtension.ext(item.assets[name], add_if_missing=True).apply([described])
        _add_grid(item.assets[name], band.path)
    for key, title in MASKS.items():
        if path := getattr(scene, key):
            item.add_asset(key, _asset(title, path, "data-mask"))
            _add_grid(item.assets[key], path)
    return item


def scene_of(item: pystac.Item, year: int, folder: Path) -> Scene:
    """Return the scene that an item in `folder` describes; the inverse of `item_of`."""
    properties = {field: item.properties.get(name) for name, field in FIELDS.items()}
    if properties["tile"]:
        properties["tile"] = str(properties["tile"]).removeprefix(MGRS)
    info = SceneInfo(
        id=item.id, year=year, acquired=_acquired(item), **{**properties, "product": str(properties["product"])}
    )
    bands = {key: _band(asset, folder) for key, asset in item.assets.items() if key not in MASKS}
    masks = {key: _path(item.assets[key], folder) for key in MASKS if key in item.assets}
    return Scene(info=info, bands=bands, **masks)


def read_item(path: Path) -> pystac.Item:
    """Read an item from a file; its links are not followed."""
    item = pystac.Item.from_dict(json.loads(path.read_text(encoding="utf-8")))
    item.clear_links()
    return item


def write_item(item: pystac.Item, path: Path, *, catalog: Path) -> None:
    """Write an item that points to its catalogue by a relative path."""
    home = os.path.relpath(catalog, path.parent)
    for relation in ("root", "parent"):
        item.add_link(pystac.Link(relation, home, media_type=pystac.MediaType.JSON))
    write_json(path, item.to_dict(include_self_link=False, transform_hrefs=False))


def write_catalog(folder: Path, scenes: Iterable[Scene], *, name: str, title: str) -> None:
    """Write ``catalog.json``: static and self-contained, one link per item, by year and id."""
    catalog = pystac.Catalog(id=name, title=title, description=f"Scenes of the site {name}, one folder a year")
    catalog.add_link(pystac.Link("root", "./catalog.json", media_type=pystac.MediaType.JSON))
    for info in sorted((scene.info for scene in scenes), key=lambda info: (info.year, info.id)):
        href = f"./scenes/{info.year}/{info.id}/{info.id}.json"
        catalog.add_link(pystac.Link("item", href, media_type=pystac.MediaType.GEOJSON))
    write_json(folder / "catalog.json", catalog.to_dict(include_self_link=False, transform_hrefs=False))


def _properties(info: SceneInfo) -> dict[str, Any]:
    values = {name: getattr(info, field) for name, field in FIELDS.items()}
    if info.tile:
        values["grid:code"] = MGRS + info.tile
    return {name: value for name, value in values.items() if value is not None}


def _times(info: SceneInfo) -> dict[str, Any]:
    """Return the times of an item: the instant, or the whole day or year where no more is known."""
    if isinstance(info.acquired, dt.datetime):
        return {"datetime": info.acquired}
    first, last = info.acquired or dt.date(info.year, 1, 1), info.acquired or dt.date(info.year, 12, 31)
    start = dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC)
    end = dt.datetime.combine(last, dt.time(23, 59, 59), tzinfo=dt.UTC)
    return {"datetime": None, "start_datetime": start, "end_datetime": end}


def _acquired(item: pystac.Item) -> dt.date | None:
    instant: dt.datetime | None = item.datetime
    if instant:
        return instant
    start, end = item.common_metadata.start_datetime, item.common_metadata.end_datetime
    return start.date() if start and end and start.date() == end.date() else None


def _asset(title: str, path: Path, role: str) -> pystac.Asset:
    return pystac.Asset(f"./{path.name}", title=title, media_type=pystac.MediaType.COG, roles=[role])


def _band(asset: pystac.Asset, folder: Path) -> Band:
    (band,) = asset.extra_fields["raster:bands"]
    nodata = band.get("nodata")
    return Band(
        path=_path(asset, folder),
        dtype=str(band["data_type"]),
        nodata=None if nodata is None else float(nodata),
        scale=float(band["scale"]),
        offset=float(band["offset"]),
    )


def _path(asset: pystac.Asset, folder: Path) -> Path:
    """Return the file of an asset: a path and no address, whatever signs its folder's name holds."""
    path, working = Path(os.path.normpath(folder.absolute() / asset.href)), Path.cwd()
    return path.relative_to(working) if path.is_relative_to(working) else path


def _add_grid(target: Any, path: Path) -> None:
    grid = read_grid(path)
    code = grid.crs if grid.crs.startswith("EPSG:") else None
    ProjectionExtension.ext(target, add_if_missing=True).apply(
        code=code,
        wkt2=None if code else CRS.from_user_input(grid.crs).to_wkt(),
        shape=list(grid.shape),
        transform=list(grid.transform)[:6],
    )


def footprint(paths: Iterable[Path]) -> Any:
    """Return the polygon that the rasters cover together, in EPSG:4326; their edges are followed."""
    boxes = []
    for path in paths:
        grid = read_grid(path)
        left, top = grid.transform @ (0, 0)
        right, bottom = grid.transform @ (grid.width, grid.height)
        edge = shapely.segmentize(shapely.box(left, bottom, right, top), max(right - left, top - bottom) / 8)
        boxes.append(_in_degrees(edge, grid.crs))
    together = shapely.set_precision(shapely.union_all(boxes), 10**-DEGREE_DECIMALS)
    return shapely.orient_polygons(together)


def _in_degrees(shape: Any, crs: str) -> Any:
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform

    def rounded_degrees(xy: AnyArray) -> AnyArray:
        return np.round(np.column_stack(to_degrees(xy[:, 0], xy[:, 1])), DEGREE_DECIMALS)

    return shapely.transform(shape, rounded_degrees)
