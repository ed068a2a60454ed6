"""series.gpkg: outlines of all years with their areas, unseen ground, flow lines and fronts, and their styles."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.display.numbers import EXACT_DECIMALS
from stages.common.drawing.qgis_style import style_document
from stages.common.geo.vectors import FIXED_TIME, read_features, read_polygons, write_geopackage
from stages.common.run.stage import Run
from stages.common.tables.area import GlacierAreaRow
from stages.report.findings import Findings

OUTLINES, OLD_OUTLINES, UNSEEN, FLOW_LINES, FRONTS = "outlines", "old_outlines", "unseen", "flow_lines", "fronts"
"""Layers of series.gpkg."""

GEOMETRY = {
    OUTLINES: "MultiPolygon",
    OLD_OUTLINES: "MultiPolygon",
    UNSEEN: "MultiPolygon",
    FLOW_LINES: "LineString",
    FRONTS: "LineString",
}

AREA_COLUMNS = (
    "area_low_km2", "area_high_km2", "area_low95_km2", "area_high95_km2", "clean_ice_km2", "debris_covered_km2",
    "unseen_km2",
)  # fmt: skip
"""Columns of area_by_glacier.csv that each outline carries; `unseen_km2` above 0: a cloud may have cut the outline."""


def series_frames(run: Run, findings: Findings) -> dict[str, Any]:
    """Return a GeoDataFrame for each layer, all in the grid's CRS."""
    import geopandas

    from stages.common.geo.raster import read_grid

    grid = read_grid(findings.glacier_id)
    fronts = read_features(run.path("artifacts/area/fronts.gpkg"))
    dates = {row.year: day_of(row.date, row.year) for row in findings.areas}
    fronts.insert(0, "date", fronts["year"].map(dates).astype("datetime64[ms]"))
    aoi = read_polygons(run.path("data/aoi.gpkg"), grid.crs).geometry.union_all()
    return {
        OUTLINES: _outlines(run, findings, dates),
        OLD_OUTLINES: read_polygons(run.path("data/outlines.gpkg"), grid.crs),
        UNSEEN: geopandas.GeoDataFrame(
            [{"year": year, "date": dates[year]} for year in findings.years],
            geometry=[_unseen(findings.files[year].valid, aoi) for year in findings.years],
            crs=grid.crs,
        ),
        FLOW_LINES: read_features(run.path("artifacts/area/flow_lines.gpkg")),
        FRONTS: fronts,
    }


def day_of(date: str | None, year: int) -> Any:
    """Return the day of a scene as datetime64; the middle of its year where it is unknown, for the time slider."""
    return np.datetime64(date or f"{year}-07-01", "D").astype("datetime64[ms]")


def write_series(path: Path, frames: Mapping[str, Any], styles: Mapping[str, ET.Element]) -> None:
    """Write a GeoPackage of all layers and the style of each; the same input gives the same bytes."""
    for name, frame in frames.items():
        write_geopackage(path, frame, layer=name, geometry=GEOMETRY[name])
    _write_styles(path, styles)


def _outlines(run: Run, findings: Findings, dates: Mapping[int, Any]) -> Any:
    """Return the outlines of all years in one frame, each with the areas of its row in area_by_glacier.csv."""
    import geopandas
    import pandas

    paths = run.by_year("artifacts/area/outlines_{years}.gpkg")
    frames = [read_features(paths[year]).assign(year=year, date=dates[year]) for year in findings.years]
    outlines = pandas.concat(frames, ignore_index=True)
    rows = pandas.DataFrame(
        [_areas(row) for row in findings.glaciers], columns=["year", "rgi_id", "product", *AREA_COLUMNS]
    )
    rows = rows.astype(dict.fromkeys(AREA_COLUMNS, "float64"))
    merged = outlines.drop(columns="src_date").merge(rows, on=["year", "rgi_id"], how="left")
    first = ["rgi_id", "glac_name", "year", "date", "product", "area_km2", *AREA_COLUMNS]
    others = [name for name in merged.columns if name not in first and name != "geometry"]
    return geopandas.GeoDataFrame(merged[[*first, *others]], geometry=merged["geometry"], crs=frames[0].crs)


def _areas(row: GlacierAreaRow) -> dict[str, Any]:
    areas = {name: getattr(row, name) for name in AREA_COLUMNS}
    rounded = {name: km2 if km2 is None else round(km2, EXACT_DECIMALS) for name, km2 in areas.items()}
    return {"year": row.year, "rgi_id": row.rgi_id, "product": row.product, **rounded}


def _unseen(valid: Path, aoi: Any) -> Any:
    """Return the ground of the AOI that a year's valid.tif marks as not observed, as a MultiPolygon."""
    import shapely
    from rasterio import features

    from stages.common.geo.raster import open_raster, read_band

    band = read_band(valid)
    with open_raster(valid) as dataset:
        transform = dataset.transform
    shapes = features.shapes(band, mask=band == 0, connectivity=4, transform=transform)
    polygons: list[Any] = [shapely.geometry.shape(geometry) for geometry, _ in shapes]
    pieces = shapely.MultiPolygon(polygons)
    parts: Any = shapely.get_parts(shapely.intersection(pieces, aoi))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


def _write_styles(path: Path, styles: Mapping[str, ET.Element]) -> None:
    """Write the table `layer_styles`, from which QGIS takes a layer's default style."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), "
            "f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), "
            "styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), "
            "update_time DATETIME DEFAULT CURRENT_TIMESTAMP)"
        )
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
            (FIXED_TIME,),
        )
        database.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', '', ?)",
            [(name, name, style_document(style), FIXED_TIME) for name, style in styles.items()],
        )
