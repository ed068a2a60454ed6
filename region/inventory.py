"""The outlines of a region: one row a glacier, and where on Earth it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from region.params import RegionParams
from stages.common.errors import InputError
from stages.common.types import AnyArray, Float64Array
from stages.ingest.input_files import read_vector
from stages.ingest.vectors.outlines import OUTLINES_CRS, rgi7_columns
from stages.ingest.vectors.polygons import load_aoi, only_polygons

HALF_TURN = 180.0
ZONE_DEGREES, ZONES = 6, 60
"""Width of a UTM zone in degrees, and their number."""


def load_inventory(region: RegionParams) -> tuple[Any, Any]:
    """Return the file's features as they stand there, and the glaciers of the region.

    Returns
    -------
    GeoDataFrame of the file, and GeoDataFrame in EPSG:4326 with `rgi_id`, `glac_name`, a point within each glacier
    (`lon`, `lat`; -180 to 180), sorted by id; shapes across the 180th meridian are in one piece, beyond 180 degrees.

    Raises
    ------
    InputError
        The file cannot be read, has no CRS or ids, an id stands twice, a shape is no polygon, or no glacier is left.
    """
    place = region.checked.ingest.outlines
    if place is None:
        raise InputError("the region has no outlines", where=region.folder / "params.yaml", fix="see docs/region.md")
    path = region.path(place.path, where="ingest.outlines.path")
    features = read_vector(path, place.layer)
    columns = rgi7_columns(path, features)
    shapes = geopandas.GeoSeries(only_polygons(path, features), crs=features.crs).to_crs(OUTLINES_CRS)
    whole = in_one_piece(np.asarray(shapes.array))
    inner = shapely.point_on_surface(whole)
    glaciers = geopandas.GeoDataFrame(
        {
            "rgi_id": list(columns["rgi_id"]),
            "glac_name": list(columns["glac_name"]),
            "lon": wrapped(shapely.get_x(inner)),
            "lat": shapely.get_y(inner),
        },
        geometry=whole, crs=OUTLINES_CRS,
    )  # fmt: skip
    return features, _within(region, path, glaciers).sort_values("rgi_id", ignore_index=True)


def in_one_piece(shapes: AnyArray) -> AnyArray:
    """Return the (N,) shapes, in degrees; one with parts at both ends of the map is moved together beyond 180."""
    west, _, east, _ = shapely.bounds(shapes).T
    split = (east - west) > HALF_TURN
    moved = shapes.copy()
    moved[split] = [shapely.transform(shape, _eastwards) for shape in shapes[split]]
    return moved


def _eastwards(points: Float64Array) -> Float64Array:
    return np.column_stack([np.where(points[:, 0] < 0, points[:, 0] + 2 * HALF_TURN, points[:, 0]), points[:, 1]])


def wrapped(longitudes: Float64Array) -> Float64Array:
    """Return (N,) longitudes in -180 to below 180."""
    return (longitudes + HALF_TURN) % (2 * HALF_TURN) - HALF_TURN


def utm_zone(longitudes: Float64Array) -> AnyArray:
    """Return the (N,) numbers of the UTM zones, 1 to 60, of longitudes in -180 to below 180."""
    return np.asarray(np.floor((longitudes + HALF_TURN) / ZONE_DEGREES).astype(int) % ZONES + 1)


def utm_code(zone: int, *, north: bool) -> str:
    """Return the code of a UTM zone, as EPSG:32645."""
    return f"EPSG:{326 if north else 327}{zone:02d}"


def _within(region: RegionParams, path: Path, glaciers: Any) -> Any:
    """Return the glaciers whose inner point lies in the AOI that the region may name."""
    if region.aoi is None:
        return glaciers
    place = region.aoi
    if not hasattr(place, "bounds"):
        place = place.model_copy(update={"path": str(region.path(place.path, where="ingest.aoi.path"))})
    area = load_aoi(place).to_crs(OUTLINES_CRS).union_all()
    inside = glaciers[shapely.contains_xy(area, glaciers["lon"], glaciers["lat"])]
    if inside.empty:
        raise InputError(
            "no glacier lies in the region", where=path,
            expected=f"glaciers within {[round(value, 4) for value in area.bounds]} degrees",
            found=f"{len(glaciers)} glaciers within {[round(float(v), 4) for v in glaciers.total_bounds]} degrees",
            fix="correct ingest.aoi (bounds are left, bottom, right, top), or give the outlines of this region",
        )  # fmt: skip
    return inside
