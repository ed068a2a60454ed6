"""Take in outlines that a person drew in QGIS: one or more polygons for a glacier in a year."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import geopandas
import pandas

from stages.common.errors import InputError
from stages.common.geo.vectors import read_features
from stages.common.tables.kinds import CORRECTION_COLUMNS

LAYER = "corrections"
WGS84 = "EPSG:4326"
POLYGONS = {"Polygon", "MultiPolygon"}


def read_corrections(
    path: Path, *, years: Collection[int], rgi_ids: Collection[str], by: str, at: str
) -> Any:  # fmt: skip
    """Return hand-drawn outlines in WGS84, one a glacier and year, with who drew them and when.

    Raises
    ------
    InputError
        The file is not readable, lacks a column, or holds something else than valid polygons of the site's glaciers
        and years.
    """
    try:
        frame = read_features(path)
    except InputError as error:
        fix = "save the layer from QGIS as a GeoPackage, with a CRS"
        raise InputError(error.what, where=path, expected=error.expected, found=error.found, fix=fix) from error
    _require_columns(path, frame)
    numbers = [str(value).removesuffix(".0") for value in frame["year"]]
    problems = {
        "years of this site": [text for text in numbers if text not in {str(year) for year in years}],
        "RGI ids of this site": [str(rgi_id) for rgi_id in frame["rgi_id"] if rgi_id not in rgi_ids],
        "polygons": sorted({str(kind) for kind in frame.geom_type} - POLYGONS),
        "polygons that do not cross themselves": [
            str(rgi_id) for rgi_id, valid in zip(frame["rgi_id"], frame.is_valid, strict=True) if not valid
        ],
    }
    for expected, wrong in problems.items():
        if wrong or frame.empty:
            raise InputError(
                "the drawn outlines cannot be used", where=path, expected=expected,
                found=", ".join(wrong[:5]) or "no feature", fix="correct it in QGIS, then run this again",
            )  # fmt: skip
    drawn = frame[["rgi_id", "geometry"]].to_crs(WGS84)
    drawn["year"], drawn["by"], drawn["at"] = [int(text) for text in numbers], by, at
    return drawn.dissolve(["rgi_id", "year"], as_index=False)[[*CORRECTION_COLUMNS, "geometry"]]


def merged(earlier: Any, drawn: Any) -> Any:
    """Return all outlines: new ones in place of those of the same glacier and year."""
    if earlier is None:
        return drawn
    new = set(zip(drawn["rgi_id"], drawn["year"], strict=True))
    kept = [pair not in new for pair in zip(earlier["rgi_id"], earlier["year"], strict=True)]
    return geopandas.GeoDataFrame(pandas.concat([earlier[kept], drawn], ignore_index=True), crs=WGS84)


def _require_columns(path: Path, frame: Any) -> None:
    if missing := [name for name in ("rgi_id", "year") if name not in frame.columns]:
        raise InputError(
            "the drawn outlines lack a column", where=path, expected="rgi_id and year",
            found=", ".join(frame.columns), fix=f"add the column {missing[0]} in QGIS, and fill it in",
        )  # fmt: skip
