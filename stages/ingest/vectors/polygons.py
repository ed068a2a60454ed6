"""AOI and outlines as valid polygons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from stages.common.errors import InputError, ParamsError
from stages.common.params.ingest import BoxParams, FileParams
from stages.ingest.input_files import read_vector, resolve_path

MEND_AREA_CHANGE_MAX = 0.01
"""Largest share of a polygon's area that mending may change: a self-touching ring changes nothing, a bow-tie all."""

log = logging.getLogger("ingest")


def load_aoi(aoi: FileParams | BoxParams) -> Any:
    """Return the AOI as a GeoDataFrame of one row, in the CRS of the file or parameters.

    Raises
    ------
    InputError, ParamsError
        The file cannot be used or holds no polygon, or the CRS is unknown.
    """
    import geopandas

    if isinstance(aoi, BoxParams):
        shapes, crs, source = [shapely.box(*aoi.bounds)], _parse_crs(aoi.crs), "params.yaml: ingest.aoi"
    else:
        path = resolve_path(aoi.path, where="ingest.aoi.path")
        frame = read_vector(path, aoi.layer)
        shapes, crs, source = only_polygons(path, frame), frame.crs, str(path)
    result = geopandas.GeoDataFrame({"name": ["aoi"]}, geometry=[shapely.union_all(shapes)], crs=crs)
    west, south, east, north = result.to_crs("EPSG:4326").total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            "the AOI lies nowhere on Earth",
            where=source,
            expected="coordinates that are valid in the CRS",
            found=f"{result.total_bounds.tolist()} in {crs.to_string()}",
            fix="give the CRS that the coordinates are in",
        )
    return result


def _parse_crs(name: str) -> CRS:
    try:
        return CRS.from_user_input(name)
    except CRSError as error:
        raise ParamsError(
            "the CRS is unknown",
            where="params.yaml: ingest.aoi.crs",
            expected="a code such as EPSG:32644",
            found=name,
            fix="see epsg.io",
        ) from error


def only_polygons(path: Path, frame: Any) -> list[Any]:
    """Return the geometries of `frame` as valid polygons without height.

    Invalid ones are mended, with a warning, where that moves less than `MEND_AREA_CHANGE_MAX` of the area.

    Raises
    ------
    InputError
        A geometry is absent, empty, not a polygon, or cannot be mended safely.
    """
    shapes = list(frame.geometry)
    wrong = features_of_other_types(shapes, ("Polygon", "MultiPolygon"))
    if wrong:
        raise InputError(
            f"{len(wrong)} feature(s) are not polygons",
            where=path,
            expected="Polygon or MultiPolygon",
            found=", ".join(wrong[:5]),
            fix="remove them, or turn lines into polygons in a GIS",
        )
    return [
        shape if shape.is_valid else _mend(path, index, shape)
        for index, shape in enumerate(shapely.force_2d(np.array(shapes, dtype=object)))
    ]


def _mend(path: Path, index: int, shape: Any) -> Any:
    reason = shapely.is_valid_reason(shape)
    mended = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    change = abs(mended.area - shape.area) / shape.area if shape.area > 0 else 1.0
    if change > MEND_AREA_CHANGE_MAX or mended.geom_type not in ("Polygon", "MultiPolygon") or mended.is_empty:
        raise InputError(
            "a polygon is invalid, and mending it would change its area",
            where=f"{path}, feature {index}",
            expected=f"a change of at most {100 * MEND_AREA_CHANGE_MAX:g} %",
            found=f"{reason}; mending would change {100 * change:.1f} %",
            fix="correct it in a GIS (QGIS: Fix geometries, then look at it)",
        )
    log.warning("%s, feature %d was invalid (%s): mended, area changed by %.4f %%", path, index, reason, 100 * change)
    return mended


def features_of_other_types(shapes: Sequence[Any], types: Sequence[str]) -> list[str]:
    """Return a phrase for each feature that is absent, empty, or of none of the geometry types."""
    return [
        f"feature {index}: {'none' if shape is None else 'empty' if shape.is_empty else shape.geom_type}"
        for index, shape in enumerate(shapes)
        if shape is None or shape.is_empty or shape.geom_type not in types
    ]
