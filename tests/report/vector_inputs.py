"""Vectors of an invented site: old and mapped outlines, AOI, flow line and fronts of its one real glacier."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas
import numpy as np
import shapely

from stages.area.fronts.geometry import across_line
from stages.area.map.outlines import outline_frame, write_outlines
from stages.area.map.polygons import trace
from stages.common.geo.grid import Grid
from stages.common.geo.vectors import write_geopackage, write_polygons
from stages.common.tables.kinds import FLOW_LINE_COLUMNS, FRONT_COLUMNS, RGI7_COLUMNS

RGI_ID, NAME = "RGI60-15.00001", "Large <&> first"
POSITION_M, RETREAT_M_PER_YEAR = 1500.0, 20.0


def write(folder: Path, grid: Grid, prior: np.ndarray, ice: Mapping[int, np.ndarray], km2: float) -> None:
    """Write the vectors that the report reads; `ice` is each year's map, `km2` the area of a pixel."""
    area = folder / "artifacts/area"
    (folder / "data").mkdir(exist_ok=True)
    aoi = geopandas.GeoDataFrame(geometry=[shapely.box(*grid.bounds)], crs=grid.crs)
    write_polygons(folder / "data/aoi.gpkg", aoi, layer="aoi")
    old = geopandas.GeoDataFrame(
        {name: [None] for name in RGI7_COLUMNS} | {"rgi_id": [RGI_ID], "glac_name": [NAME]},
        geometry=[trace(prior, prior, grid.transform)[1]], crs=grid.crs,
    )  # fmt: skip
    write_polygons(folder / "data/outlines.gpkg", old.to_crs("EPSG:4326"), layer="outlines")
    for year, glacier in ice.items():
        areas_km2 = [0.0, float(glacier.sum() * km2)]
        frame = outline_frame(
            trace(glacier, glacier, grid.transform), ["unassigned", RGI_ID], areas_km2, crs=grid.crs,
            date=f"{year}-10-15", prior=old,
        )  # fmt: skip
        write_outlines(area / f"outlines_{year}.gpkg", frame)
    write_fronts(area, grid, list(ice))


def write_fronts(area: Path, grid: Grid, years: list[int]) -> None:
    """A flow line from east to west through the middle of the grid, and a front that goes back along it."""
    left, bottom, right, top = grid.bounds
    line = shapely.LineString([(right, (bottom + top) / 2), (left, (bottom + top) / 2)])
    lines = geopandas.GeoDataFrame(
        dict(zip(FLOW_LINE_COLUMNS, ([RGI_ID], [NAME], ["given"]), strict=True)), geometry=[line], crs=grid.crs
    )
    write_geopackage(area / "flow_lines.gpkg", lines, layer="flow_lines", geometry="LineString")
    retreats = [RETREAT_M_PER_YEAR * (year - years[0]) for year in years]
    rows = [(RGI_ID, NAME, year, POSITION_M - back, 8.0, back) for year, back in zip(years, retreats, strict=True)]
    fronts = geopandas.GeoDataFrame(
        rows, columns=list(FRONT_COLUMNS), crs=grid.crs,
        geometry=[across_line(line, POSITION_M - back, width_m=300.0) for back in retreats],
    )  # fmt: skip
    write_geopackage(area / "fronts.gpkg", fronts, layer="fronts", geometry="LineString")
