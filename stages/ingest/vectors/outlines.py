"""Glacier outlines of the Randolph Glacier Inventory, versions 5 to 7, with RGI 7.0 column names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.common.errors import InputError
from stages.common.params.ingest import FileParams
from stages.common.tables.kinds import RGI7_COLUMNS
from stages.ingest.input_files import read_vector, resolve_path
from stages.ingest.vectors.overlaps import check_overlaps
from stages.ingest.vectors.polygons import near_aoi, only_polygons

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
"""Column names of RGI 7.0 with those of RGI 5.0 and 6.0 (RGI Consortium 2017, technical note 6.0, table 3)."""

FILLED_BELOW = -900
"""Elevations below this, in metres, are fill values (-999, -9999; RGI 6.0 technical note)."""

OUTLINES_CRS = "EPSG:4326"

ID = re.compile(r"\w[\w.: -]*(/\w[\w.: -]*)*")
"""Ids that an outline may have: those of RGI, GLIMS and national inventories. They become names of charts."""

ID_LENGTH_MAX = 100

TEXT_COLUMNS = ("rgi_id", "glac_name", "src_date")
"""Columns that hold text; the others hold numbers."""


def load_outlines(params: FileParams, aoi: Any) -> Any:
    """Return the whole outlines that touch the AOI, in EPSG:4326, sorted by id.

    Parameters
    ----------
    params
        File and layer of the outlines.
    aoi
        GeoDataFrame as `load_aoi` returns it.

    Returns
    -------
    GeoDataFrame with the columns `RGI7_COLUMNS`; unknown values are null.

    Raises
    ------
    InputError
        The file cannot be read, is empty, has no CRS or no id column; no outline touches the AOI; or among those near
        the AOI ids are not unique, shapes are not polygons, or one glacier lies under others.
    """
    import geopandas

    path = resolve_path(params.path, where="ingest.outlines.path")
    frame = read_vector(path, params.layer)
    near = near_aoi(path, frame, aoi)
    if near.empty:
        raise _none_near(aoi, path, frame.to_crs(OUTLINES_CRS))
    shapes = only_polygons(path, near)
    columns = rgi7_columns(path, near)
    outlines = geopandas.GeoDataFrame(columns, geometry=shapes, crs=frame.crs).to_crs(OUTLINES_CRS)
    outlines["geometry"] = only_polygons(path, outlines)
    touched = touching(outlines, aoi, where=path)
    check_overlaps(path, touched)
    return touched


def touching(outlines: Any, aoi: Any, *, where: object) -> Any:
    """Return those of the outlines (GeoDataFrame, EPSG:4326) that touch the AOI, whole and sorted by id.

    Raises
    ------
    InputError
        No outline touches the AOI.
    """
    in_aoi = outlines[outlines.intersects(_region(aoi))]
    if in_aoi.empty:
        raise _none_near(aoi, where, outlines)
    return in_aoi.sort_values("rgi_id", ignore_index=True)


def _region(aoi: Any) -> Any:
    return aoi.geometry.segmentize(_side(aoi) / 100).to_crs(OUTLINES_CRS).union_all()


def _none_near(aoi: Any, where: object, outlines: Any) -> InputError:
    return InputError(
        "no outline touches the AOI",
        where=where,
        expected=f"outlines within {_bounds(_region(aoi).bounds)}",
        found=f"{len(outlines)} outlines within {_bounds(outlines.total_bounds)}",
        fix="give the outlines of this region, or correct ingest.aoi (bounds are left, bottom, right, top)",
    )


def rgi7_columns(path: Path, frame: Any) -> dict[str, Any]:
    """Return the attributes (pandas Series) under their RGI 7.0 names; what the file does not have is null.

    Raises
    ------
    InputError
        The file has no id column of RGI 5 to 7, or an id is absent or not unique.
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
    _check_ids(path, [clean_text(value) for value in frame[names["rgi_id"]]], list(frame.index))
    return {name: _column(name, frame, names.get(name)) for name in RGI7_COLUMNS}


def _column(name: str, frame: Any, file_name: str | None) -> Any:
    import pandas

    values = [PARSERS[name](value) for value in frame[file_name]] if file_name in frame.columns else [None] * len(frame)
    return pandas.Series(values, dtype="str" if name in TEXT_COLUMNS else "float64")


def _check_ids(path: Path, ids: list[str | None], features: list[int]) -> None:
    if None in ids:
        raise InputError(
            "an outline has no id",
            where=path,
            expected="an id for each outline",
            found=f"no id in feature {features[ids.index(None)]}",
            fix="give it one; any unique text will do",
        )
    if unfit := [name for name in map(str, ids) if not _fits(name)]:
        raise InputError(
            "an outline's id cannot be used",
            where=path,
            expected=f"letters, digits and any of . : _ - / and blanks within, {ID_LENGTH_MAX} characters at most",
            found=repr(unfit[0])[:200],
            fix="rename it; any unique text of these characters will do",
        )
    doubled = sorted({str(name) for name, count in Counter(ids).items() if count > 1})
    if doubled:
        raise InputError(
            "outline ids are not unique",
            where=path,
            expected="unique ids",
            found=", ".join(doubled[:5]),
            fix="dissolve the parts of a glacier, or remove the copies",
        )


def _fits(name: str) -> bool:
    return len(name) <= ID_LENGTH_MAX and ".." not in name and ID.fullmatch(name) is not None


def clean_text(value: Any) -> str | None:
    """Return a text without the padding of old dbf files: names of RGI 5 end in blanks and a stray character."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    first = re.sub(r"[\x01-\x1f\x7f]+", " ", re.split(r"\s{3,}|\x00", str(value).strip())[0])
    return first or None


def iso_date(value: Any) -> str | None:
    """Return a day as ISO 8601, or the month or year where no more is known.

    RGI 6 writes YYYYMMDD with 99 for an unknown month or day and -9999999 for an unknown date.

    >>> iso_date("20030799"), iso_date("20019999"), iso_date("-9999999"), iso_date("2000-10-30T00:00:00")
    ('2003-07', '2001', None, '2000-10-30')
    """
    date = clean_text(value)
    if date is None:
        return None
    match = re.match(r"(\d{4})-?(\d{2})?-?(\d{2})?", date)
    if match is None or match[1] in ("9999", "0000"):
        return None
    year, month, day = match.groups()
    if month is None or not 1 <= int(month) <= 12:
        return str(year)
    return f"{year}-{month}" if day is None or not 1 <= int(day) <= 31 else f"{year}-{month}-{day}"


def finite_or_none(value: Any) -> float | None:
    """Return a finite number, or None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def elevation_m(value: Any) -> float | None:
    """Return an elevation in metres, or None for a fill value."""
    elevation = finite_or_none(value)
    return elevation if elevation is not None and elevation > FILLED_BELOW else None


PARSERS: dict[str, Callable[[Any], Any]] = {
    name: clean_text if name in TEXT_COLUMNS else finite_or_none for name in RGI7_COLUMNS
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
