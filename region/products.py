"""Put the cells' results together: tables of glaciers and outlines, totals, and a STAC collection of the rasters."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import tempfile
from collections.abc import Sequence
from typing import Any

import geopandas
import pandas
import pystac
import shapely

from exports.rgi import GEOPARQUET
from region.cell import Job
from region.params import RegionParams
from region.results import Results, as_json
from region.totals import GlacierYear, RegionTrend, Total, region_trend, totals
from stages.area.error.interval import interval_factors
from stages.common.display.phrases import IMAGES_ALONE
from stages.common.errors import InputError
from stages.common.tables.area import AreaSeries, Gates, Trend
from stages.common.tables.learning import MapModel
from stages.ingest.vectors.outlines import OUTLINES_CRS

RASTERS = ("mask", "probability")


def put_together(region: RegionParams, jobs: Sequence[Job], results: Results) -> tuple[list[Total], RegionTrend]:
    """Write the region's tables, outlines and collection, from the cells that are done; return totals and trend."""
    params = region.checked
    rows = [row for job in jobs for row in glacier_years(job, results)]
    model = MapModel.model_validate_json(_file(results, jobs[0], f"predict/{params.years[0]}/model.json"))
    by_year = totals(rows, interval_factors(model, params.area.interval_factors))
    trend = region_trend(by_year, change_sigma_km2=sum(own_change_sigma_km2(job, results) for job in jobs))
    frame = pandas.DataFrame([row.model_dump() for row in rows], columns=list(GlacierYear.model_fields))
    outlines = pandas.concat([mapped_outlines(job, year, results) for job in jobs for year in params.years])
    points = outlines.drop_duplicates("rgi_id").set_index("rgi_id").geometry.representative_point()
    located = geopandas.GeoDataFrame(frame, geometry=list(points.reindex(frame["rgi_id"])), crs=OUTLINES_CRS)
    results.write("glacier_years.parquet", _parquet(located))
    results.write("outlines.parquet", _parquet(outlines))
    results.write("totals.csv", _csv(by_year))
    results.write("trend.json", as_json(trend.model_dump()))
    write_collection(region, jobs, results)
    return by_year, trend


def glacier_years(job: Job, results: Results) -> list[GlacierYear]:
    """Return the rows of a cell's own glaciers; those of other cells in its window are left out."""
    series = _series(job, results)
    gates = Gates.model_validate_json(_file(results, job, "area/gates.json"))
    flags = ";".join(finding.gate for finding in gates.findings if not finding.passed)
    years = {row.year: row for row in series.years}
    names = GlacierYear.model_fields.keys()
    return [
        GlacierYear(
            cell=job.cell, flags=flags, date=years[row.year].date,
            model_md5=years[row.year].model_md5,
            **{name: value for name, value in row.model_dump().items() if name in names},
        )
        for row in series.glaciers
        if row.rgi_id in job.glaciers
    ]  # fmt: skip


def mapped_outlines(job: Job, year: int, results: Results) -> Any:
    """Return a year's outlines of a cell's own glaciers, in EPSG:4326."""
    with tempfile.NamedTemporaryFile(suffix=".gpkg") as file:  # GDAL warns of a GeoPackage by another name
        file.write(_file(results, job, f"area/outlines_{year}.gpkg"))
        file.flush()
        frame = geopandas.read_file(file.name)
    own = frame[frame["rgi_id"].isin(job.glaciers)].to_crs(OUTLINES_CRS)
    product = next(row.product for row in _series(job, results).years if row.year == year)
    return own.assign(year=year, cell=job.cell, product=product)


def own_change_sigma_km2(job: Job, results: Results) -> float:
    """Return one sigma of a change of the common area of a cell's own glaciers; 0 where the cell states none.

    The window's, which trend.json states, times the root of their share: as `area` scales the model's error.
    """
    sigma = Trend.model_validate_json(_file(results, job, "area/trend.json")).change_sigma_km2
    series = _series(job, results)
    year = next((row for row in series.years if row.common_area_km2), None)
    if sigma is None or year is None:
        return 0.0
    own = sum(r.common_area_km2 or 0.0 for r in series.glaciers if r.year == year.year and r.rgi_id in job.glaciers)
    return sigma * math.sqrt(own / (year.common_area_km2 or 1.0))


def write_collection(region: RegionParams, jobs: Sequence[Job], results: Results) -> None:
    """Write a STAC collection with an item for each cell and year; the rasters stay where they are."""
    items = [_item(job, row.year, row.date, results) for job in jobs for row in _series(job, results).years]
    boxes = [item.bbox or [] for item in items]
    extent = [min(box[0] for box in boxes), min(box[1] for box in boxes), *(max(b[i] for b in boxes) for i in (2, 3))]
    times = sorted(item.datetime for item in items if item.datetime)
    collection = pystac.Collection(
        id=region.name, description=str(region.site["site"]["title"]), license="other",
        extent=pystac.Extent(pystac.SpatialExtent([extent]), pystac.TemporalExtent([[times[0], times[-1]]])),
    )  # fmt: skip
    document = collection.to_dict(include_self_link=False)
    document["links"] = [
        {"rel": "item", "href": f"./items/{item.id}.json", "type": "application/geo+json"} for item in items
    ]
    for item in items:
        content = item.to_dict(include_self_link=False)
        content["collection"] = region.name
        content["links"] = [{"rel": "collection", "href": "../collection.json", "type": "application/json"}]
        results.write(f"collection/items/{item.id}.json", as_json(content))
    results.write("collection/collection.json", as_json(document))


def _item(job: Job, year: int, date: str | None, results: Results) -> pystac.Item:
    left, bottom, right, top = job.site["ingest"]["aoi"]["bounds"]
    window = geopandas.GeoSeries([shapely.box(left, bottom, right, top)], crs=job.site["grid"]["crs"])
    shape = window.to_crs(OUTLINES_CRS).iloc[0]
    day = dt.datetime.fromisoformat(date or f"{year}-07-02").replace(tzinfo=dt.UTC)
    item = pystac.Item(
        id=f"{job.cell}-{year}", geometry=shapely.geometry.mapping(shape), bbox=list(shape.bounds), datetime=day,
        properties={"glacier:year": year, "glacier:glaciers": len(job.glaciers), "glacier:product": "image"},
    )  # fmt: skip
    for name in RASTERS:
        href = f"../../{job.place}/predict/{year}/{name}.tif"
        item.add_asset(name, pystac.Asset(href, IMAGES_ALONE, media_type=pystac.MediaType.COG, roles=["data"]))
    return item


def _series(job: Job, results: Results) -> AreaSeries:
    return AreaSeries.model_validate_json(_file(results, job, "area/series.json"))


def _file(results: Results, job: Job, name: str) -> bytes:
    content = results.read(f"{job.place}/{name}")
    if content is None:
        raise InputError(
            "a file of a finished cell is gone",
            where=f"{results.url}/{job.place}/{name}",
            expected="as its manifest lists",
            found="nothing",
            fix=f"remove the folder {job.place} of the results, and run the same command again",
        )
    return content


def _parquet(frame: Any) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False, **GEOPARQUET)
    return stream.getvalue()


def _csv(rows: Sequence[Total]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, fieldnames=list(Total.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return stream.getvalue().encode()
