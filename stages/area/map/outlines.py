"""Write the mapped outlines of a year as a GeoPackage with the column names of RGI 7.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import pandas
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from stages.common.geo.vectors import write_geopackage
from stages.common.tables.kinds import RGI7_COLUMNS

LAYER = "outlines"
COPIED_COLUMNS = ("glac_name", "termlon", "termlat", "zmin_m", "zmax_m")
"""Columns that a map cannot give: they are copied from the prior outline."""
TEXT_COLUMNS = ("rgi_id", "glac_name", "src_date")


def outline_frame(
    polygons: Mapping[int, BaseGeometry],
    rgi_ids: Sequence[str],
    areas_km2: Sequence[float],
    *,
    crs: str,
    date: str | None,
    prior: Any,
) -> Any:
    """Return a frame with one feature per glacier that has ice.

    Parameters
    ----------
    polygons
        Position in `rgi_ids` to MultiPolygon in `crs`. The grid's own CRS stays, as pixel edges are exact there and
        polygons have the areas that the tables state.
    areas_km2
        Area of each glacier, by position in `rgi_ids`.
    date
        Day of the scene, as written to `src_date`.
    prior
        GeoDataFrame of the prior outlines with RGI 7.0 columns.

    Returns
    -------
    GeoDataFrame with `kinds.RGI7_COLUMNS`.
    """
    prior_rows = prior.drop_duplicates("rgi_id").set_index("rgi_id")
    to_degrees = Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True)
    rows = [
        _row(shape, rgi_ids[zone], float(areas_km2[zone]), to_degrees=to_degrees, date=date, prior_rows=prior_rows)
        for zone, shape in polygons.items()
    ]
    frame = pandas.DataFrame(rows, columns=list(RGI7_COLUMNS))
    for name in RGI7_COLUMNS:
        frame[name] = frame[name].astype("object" if name in TEXT_COLUMNS else "float64")
    return geopandas.GeoDataFrame(frame, geometry=list(polygons.values()), crs=crs)


def write_outlines(path: Path, frame: Any) -> None:
    """Write a GeoPackage of outlines whose bytes follow from its content alone."""
    write_geopackage(path, frame, layer=LAYER, geometry="MultiPolygon")


def _row(
    shape: BaseGeometry, rgi_id: str, area_km2: float, *, to_degrees: Transformer, date: str | None, prior_rows: Any
) -> dict[str, object]:
    center = shapely.centroid(shape)
    longitude, latitude = to_degrees.transform(center.x, center.y)
    row: dict[str, object] = {
        "rgi_id": rgi_id,
        "area_km2": round(area_km2, 6),
        "src_date": date,
        "cenlon": round(longitude, 7),
        "cenlat": round(latitude, 7),
    }
    if rgi_id in prior_rows.index:
        row |= {name: _value(prior_rows.at[rgi_id, name]) for name in COPIED_COLUMNS}
    return row


def _value(value: Any) -> Any:
    return None if pandas.isna(value) else value
