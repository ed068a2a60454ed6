"""Mapped outlines of a year as a GeoPackage with RGI 7.0 names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import pandas
import pyogrio
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from stages.common.tables.kinds import RGI7_COLUMNS

UNASSIGNED = "unassigned"
"""rgi_id of ice that lies near no prior outline."""

LAYER = "outlines"
TAKEN_OVER = ("glac_name", "termlon", "termlat", "zmin_m", "zmax_m")
"""Columns that a map says nothing about: they stay those of the prior outline."""
TEXTS = ("rgi_id", "glac_name", "src_date")

FIXED_DATE = "2000-01-01T00:00:00.000Z"
"""Stands for the time of writing, which a GeoPackage would hold."""


def outline_frame(
    polygons: Mapping[int, BaseGeometry],
    rgi_ids: Sequence[str],
    areas_km2: Sequence[float],
    *,
    crs: str,
    date: str | None,
    prior: Any,
) -> Any:
    """One feature a glacier with ice.

    Parameters
    ----------
    polygons
        Position in `rgi_ids` to MultiPolygon in `crs`. The grid's own CRS is kept, for there the pixel edges are
        exact and polygons measure what the tables say.
    date
        Day of the scene.
    prior
        GeoDataFrame of the prior outlines with RGI 7.0 columns.

    Returns
    -------
    GeoDataFrame with `kinds.RGI7_COLUMNS`.
    """
    known = prior.drop_duplicates("rgi_id").set_index("rgi_id")
    rows = [
        _row(shape, rgi_ids[zone], float(areas_km2[zone]), crs=crs, date=date, known=known)
        for zone, shape in polygons.items()
    ]
    frame = pandas.DataFrame(rows, columns=list(RGI7_COLUMNS))
    for name in RGI7_COLUMNS:
        frame[name] = frame[name].astype("object" if name in TEXTS else "float64")
    return geopandas.GeoDataFrame(frame, geometry=list(polygons.values()), crs=crs)


def write_outlines(path: Path, frame: Any) -> None:
    """Write a GeoPackage whose bytes follow from its content alone.

    The library's setting is process-wide; it is put back, as other writers may want the true time.
    """
    earlier = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_DATE})
    try:
        pyogrio.write_dataframe(frame, path, layer=LAYER, driver="GPKG", geometry_type="MultiPolygon")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": earlier})


def _row(
    shape: BaseGeometry, rgi_id: str, area_km2: float, *, crs: str, date: str | None, known: Any
) -> dict[str, object]:
    center = shapely.centroid(shape)
    longitude, latitude = Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True).transform(
        center.x, center.y
    )
    row: dict[str, object] = {
        "rgi_id": rgi_id,
        "area_km2": round(area_km2, 6),
        "src_date": date,
        "cenlon": round(longitude, 7),
        "cenlat": round(latitude, 7),
    }
    if rgi_id in known.index:
        row |= {name: _value(known.at[rgi_id, name]) for name in TAKEN_OVER}
    return row


def _value(value: Any) -> Any:
    return None if pandas.isna(value) else value
