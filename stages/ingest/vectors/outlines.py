"""Glacier outlines of the Randolph Glacier Inventory, versions 5 to 7, with RGI 7.0 column names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.common.errors import InputError
from stages.common.params.ingest import FileParams
from stages.common.tables.kinds import RGI7_COLUMNS
from stages.ingest.input_files import read_vector, resolve_path
from stages.ingest.vectors.polygons import only_polygons

RGI6_COLUMNS = {
    "rgi_id": "RGIId",
    "glac_name": "Name",
    "area_km2": "Area",
    "src_date": "BgnDate",
    "cenlon": "CenLon",
    "cenlat": "CenLat",
    "zmin_m": "Zmin",
    "zmax_m": "Zmax",
}
"""RGI 7.0 name to that of RGI 5.0 and 6.0 (RGI Consortium 2017, technical note 6.0, table 3)."""

FILLED_BELOW = -900
"""Elevations below it are fill values (-999, -9999; RGI 6.0 technical note): no glacier is that deep."""

OUTLINES_CRS = "EPSG:4326"

TEXTS = ("rgi_id", "glac_name", "src_date")
"""Columns that are text; the others are numbers."""


def load_outlines(params: FileParams, aoi: Any) -> Any:
    """Outlines that touch the AOI, whole, in EPSG:4326, sorted by id.

    Parameters
    ----------
    params
        File and layer.
    aoi
        GeoDataFrame of `load_aoi`.

    Returns
    -------
    GeoDataFrame with the columns `RGI7_COLUMNS`; unknown values are null.

    Raises
    ------
    InputError
        Not readable, empty, no CRS, no id column, doubled ids, no polygons, or none of them touches the AOI.
    """
    import geopandas

    path = resolve_path(params.path, where="ingest.outlines.path")
    frame = read_vector(path, params.layer)
    shapes = only_polygons(path, frame)
    columns = rgi7_columns(path, frame)
    outlines = geopandas.GeoDataFrame(columns, geometry=shapes, crs=frame.crs).to_crs(OUTLINES_CRS)
    outlines["geometry"] = only_polygons(path, outlines)
    return touching(outlines, aoi, where=path)


def touching(outlines: Any, aoi: Any, *, where: object) -> Any:
    """Those of the outlines (GeoDataFrame, EPSG:4326) that touch the AOI, whole, sorted by id.

    Raises
    ------
    InputError
        There are none.
    """
    region = aoi.geometry.segmentize(_side(aoi) / 100).to_crs(OUTLINES_CRS).union_all()
    kept = outlines[outlines.intersects(region)]
    if kept.empty:
        raise InputError(
            "no outline touches the AOI",
            where=where,
            expected=f"outlines within {_bounds(region.bounds)}",
            found=f"{len(outlines)} outlines within {_bounds(outlines.total_bounds)}",
            fix="give the outlines of this region, or correct ingest.aoi (bounds are left, bottom, right, top)",
        )
    return kept.sort_values("rgi_id", ignore_index=True)


def rgi7_columns(path: Path, frame: Any) -> dict[str, Any]:
    """Attributes (pandas Series) under their RGI 7.0 names; what the file does not have is null.

    Raises
    ------
    InputError
        There is no id column of RGI 5 to 7, or an id is absent or given twice.
    """
    names = {name: name for name in RGI7_COLUMNS} if "rgi_id" in frame.columns else RGI6_COLUMNS
    if names["rgi_id"] not in frame.columns:
        raise InputError(
            "the outlines have no id column",
            where=path,
            expected="rgi_id (RGI 7.0) or RGIId (RGI 5.0, 6.0)",
            found=", ".join(map(str, frame.columns)),
            fix="rename the id column; any unique text will do",
        )
    _check_ids(path, [clean_text(value) for value in frame[names["rgi_id"]]])
    return {name: _column(name, frame, names.get(name)) for name in RGI7_COLUMNS}


def _column(name: str, frame: Any, found: str | None) -> Any:
    import pandas

    values = [PARSERS[name](value) for value in frame[found]] if found in frame.columns else [None] * len(frame)
    return pandas.Series(values, dtype="str" if name in TEXTS else "float64")


def _check_ids(path: Path, ids: list[str | None]) -> None:
    if None in ids:
        raise InputError(
            "an outline has no id",
            where=path,
            expected="an id each",
            found=f"none in feature {ids.index(None)}",
            fix="give it one; any unique text will do",
        )
    doubled = sorted({str(one) for one in ids if ids.count(one) > 1})
    if doubled:
        raise InputError(
            "outline ids are given twice",
            where=path,
            expected="unique ids",
            found=", ".join(doubled[:5]),
            fix="dissolve the parts of a glacier, or remove the copies",
        )


def clean_text(value: Any) -> str | None:
    """Text without the padding of old dbf files (RGI 5 names end in blanks and a stray character)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    first = re.split(r"\s{3,}|\x00", str(value).strip())[0]
    return first or None


def iso_date(value: Any) -> str | None:
    """Day as ISO 8601, or month or year where no more is known.

    RGI 6 writes YYYYMMDD with 99 for an unknown month or day and -9999999 for an unknown date.

    >>> iso_date("20030799"), iso_date("20019999"), iso_date("-9999999"), iso_date("2000-10-30T00:00:00")
    ('2003-07', '2001', None, '2000-10-30')
    """
    found = clean_text(value)
    if found is None:
        return None
    match = re.match(r"(\d{4})-?(\d{2})?-?(\d{2})?", found)
    if match is None or match[1] in ("9999", "0000"):
        return None
    year, month, day = match.groups()
    if month is None or not 1 <= int(month) <= 12:
        return str(year)
    return f"{year}-{month}" if day is None or not 1 <= int(day) <= 31 else f"{year}-{month}-{day}"


def finite_or_none(value: Any) -> float | None:
    """Finite number, or None."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < float("inf") else None


def elevation_m(value: Any) -> float | None:
    """Elevation, or None where a fill value stands."""
    found = finite_or_none(value)
    return found if found is not None and found > FILLED_BELOW else None


PARSERS: dict[str, Callable[[Any], Any]] = {
    name: clean_text if name in TEXTS else finite_or_none for name in RGI7_COLUMNS
} | {
    "src_date": iso_date,
    "zmin_m": elevation_m,
    "zmax_m": elevation_m,
}


def _side(frame: Any) -> float:
    left, bottom, right, top = frame.total_bounds
    return float(max(right - left, top - bottom))


def _bounds(values: Any) -> str:
    return "({:.4f} {:.4f} {:.4f} {:.4f})".format(*values) + " degrees"
