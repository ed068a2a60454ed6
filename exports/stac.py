"""Results as a static STAC collection: an item a year, with scene, probability, mask and outlines."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exports.finished import Finished
from exports.images import instrument_of
from exports.rgi import write_rgi
from stages.common.geo.raster import read_grid
from stages.common.run.records import read_document
from stages.common.scene.stac import footprint
from stages.common.tables.area import AreaRow
from stages.common.tables.learning import MapModel

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
PROCESSING = "https://stac-extensions.github.io/processing/v1.1.0/schema.json"
VERSION = "https://stac-extensions.github.io/version/v1.2.0/schema.json"
RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
MLM = "https://stac-extensions.github.io/mlm/v1.4.0/schema.json"

RASTERS = {
    "scene": ("artifacts/prepare/{year}/scene.tif", "harmonised scene", ["data", "reflectance"]),
    "probability": (
        "artifacts/predict/{year}/probability.tif",
        "by the image alone: probability of glacier, 0-10000",
        ["data"],
    ),
    "mask": ("artifacts/predict/{year}/mask.tif", "by the image alone: 1 glacier, 0 not, 255 not seen", ["data"]),
}
"""Asset to file, title and roles."""

VECTORS = {
    "outlines": ("outlines.gpkg", "application/geopackage+sqlite3"),
    "outlines_parquet": ("outlines.parquet", "application/vnd.apache.parquet"),
}

IMAGERY = {
    "MSI": ("ESA (Copernicus)", "https://sentinels.copernicus.eu"),
    "OLI": ("U.S. Geological Survey", "https://www.usgs.gov/landsat-missions"),
}
IMAGERY |= dict.fromkeys(("ETM+", "TM", "MSS"), IMAGERY["OLI"])
"""Instrument to the provider of its images."""


def write_collection(site: Finished, caveats: Sequence[str], folder: Path) -> None:
    """Write collection.json, and a folder a year with the item and its files."""
    import pystac

    items = [write_item(site, row, caveats, folder) for row in site.years]
    boxes = [item.bbox for item in items if item.bbox]
    times = [item.datetime or item.common_metadata.start_datetime for item in items]
    ends = [item.datetime or item.common_metadata.end_datetime for item in items]
    collection = pystac.Collection(
        id=site.params.site.name,
        title=site.params.site.title,
        description=" ".join([f"Glacier area by year: {site.params.site.title}.", *caveats]),
        license=site.params.site.contact.license if site.params.site.contact else "other",
        providers=providers(site),
        extent=pystac.Extent(
            pystac.SpatialExtent([boxes[0]]),
            pystac.TemporalExtent([[min(filter(None, times)), max(filter(None, ends))]]),
        ),
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
    )
    collection.add_items(items)
    collection.add_link(pystac.Link("related", "./model/model.json", "application/geo+json", "the model that mapped"))
    collection.normalize_hrefs(str(folder))
    collection.save()


def write_item(site: Finished, row: AreaRow, caveats: Sequence[str], folder: Path) -> Any:
    """Copy the files of a year into a folder of its own and return the item, whose hrefs are relative to it."""
    import pystac

    year = row.year
    name = f"{site.params.site.name}-{year}"
    place = folder / name
    place.mkdir()
    geometry, bbox = footprint_of(site, year)
    item = pystac.Item(
        id=name,
        geometry=geometry,
        bbox=bbox,
        **times_of(row),
        properties=properties(row, software(site, year), [*site.product_notes(year), *caveats]),
    )
    item.stac_extensions = [PROJECTION, PROCESSING, VERSION]
    item.properties |= grid_fields(site, year)
    item.common_metadata.providers = providers(site)
    for key, (template, title, roles) in RASTERS.items():
        path = site.root / template.replace("{year}", str(year))
        shutil.copyfile(path, place / path.name)
        item.add_asset(key, pystac.Asset(f"./{path.name}", title, media_type=pystac.MediaType.COG, roles=roles))
    write_rgi(site.outlines(year), place)
    for key, (file, media_type) in VECTORS.items():
        item.add_asset(key, pystac.Asset(f"./{file}", "mapped outlines", media_type=media_type, roles=["data"]))
    return item


def properties(row: AreaRow, made_by: dict[str, str], caveats: Sequence[str]) -> dict[str, Any]:
    """Return area, version and processing of a year."""
    values = {
        "version": row.model_md5,
        "processing:lineage": f"{row.scene_ids}: harmonised, then mapped by the model of this version",
        "processing:software": made_by,
        "glacier:product": row.product,
        "glacier:area_km2": row.glacier_area_km2,
        "glacier:area_low_km2": row.area_low_km2,
        "glacier:area_high_km2": row.area_high_km2,
        "glacier:unseen_km2": row.unseen_km2,
        "glacier:caveats": list(caveats),
    }
    return {key: value for key, value in values.items() if value not in (None, [])}


def software(site: Finished, year: int) -> dict[str, str]:
    """Return what made a year's map, with versions: this project, and the engine where it is not ONNX Runtime."""
    path = site.root / f"artifacts/predict/{year}/model.json"
    engine, _, version = (read_document(path, MapModel).engine if path.exists() else "").partition(" ")
    return {"glacier-area": "0.1.0"} | ({engine: version} if version else {})


def grid_fields(site: Finished, year: int) -> dict[str, Any]:
    """Return the fields of the projection extension: one grid for all rasters of a year."""
    grid = read_grid(site.root / RASTERS["mask"][0].replace("{year}", str(year)))
    return {"proj:code": str(grid.crs), "proj:shape": list(grid.shape), "proj:transform": list(grid.transform)[:6]}


def footprint_of(site: Finished, year: int | None = None) -> tuple[dict[str, Any], list[float]]:
    """Return geometry and bounding box of a year's grid, in degrees; by default of the first year's."""
    import shapely

    first = site.params.years[0] if year is None else year
    extent = footprint([site.root / RASTERS["mask"][0].replace("{year}", str(first))])
    return shapely.geometry.mapping(extent), [float(value) for value in extent.bounds]


def times_of(row: AreaRow) -> dict[str, Any]:
    """Return the day of a scene, which has no known hour, as the arguments of an item."""
    if row.date is None:
        return {"datetime": None, **whole_years(row.year, row.year)}
    day = dt.datetime.combine(dt.date.fromisoformat(row.date), dt.time(), dt.UTC)
    return {"datetime": None, "start_datetime": day, "end_datetime": day + dt.timedelta(days=1, seconds=-1)}


def whole_years(first: int, last: int) -> dict[str, Any]:
    """Return the first and the last second of years."""
    end = dt.datetime(last, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    return {"start_datetime": dt.datetime(first, 1, 1, tzinfo=dt.UTC), "end_datetime": end}


def providers(site: Finished) -> list[Any]:
    """Return who made the images and who mapped them, as far as it is known."""
    import pystac

    contact = site.params.site.contact
    sources = [source for provenance in site.provenance.values() for source in provenance.sources]
    instruments = sorted({instrument for source in sources if (instrument := instrument_of(source))})
    makers = dict.fromkeys(IMAGERY[name] for name in instruments if name in IMAGERY)
    people = [pystac.Provider(name, roles=[pystac.ProviderRole.PRODUCER], url=url) for name, url in makers]
    if site.params.site.simulated:
        people = []
    if contact:
        role = pystac.ProviderRole.PROCESSOR
        people.append(pystac.Provider(contact.institution, description=contact.name, roles=[role]))
    return people
