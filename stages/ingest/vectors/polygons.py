"""AOI and outlines as valid polygons."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
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

LONGITUDES_MAX = 90.0
"""Largest extent of an AOI; one that crosses the 180th meridian seems to reach around the whole Earth."""

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
    west, south, east, north = _dense(result).to_crs("EPSG:4326").total_bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            "the AOI lies nowhere on Earth",
            where=source,
            expected="coordinates that are valid in the CRS",
            found=f"{result.total_bounds.tolist()} in {crs.to_string()}",
            fix="give the CRS that the coordinates are in",
        )
    if east - west > LONGITUDES_MAX:
        raise InputError(
            "the AOI crosses the 180th meridian or holds a pole",
            where=source,
            expected=f"at most {LONGITUDES_MAX:g} degrees of longitude, on one side of the meridian",
            found=f"longitudes from {west:.4f} to {east:.4f}",
            fix="make a site of each side: outlines and catalogues are in degrees, which end at the meridian",
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


def near_aoi(path: Path, frame: Any, aoi: Any) -> Any:
    """Return the features whose bounds meet the AOI's, so that a spoilt one far away does no harm.

    Features without a geometry lie nowhere: they are left out, with a warning.
    """
    bounds = frame.geometry.bounds
    placeless = bounds.isna().any(axis=1)
    if placeless.any():
        log.warning("%s: %d feature(s) without a geometry are left out", path, int(placeless.sum()))
    left, bottom, right, top = _dense(aoi).to_crs(frame.crs).total_bounds
    if not np.isfinite([left, bottom, right, top]).all():  # the AOI lies beyond the projection of the file
        return frame[~placeless]
    meets = (bounds.minx <= right) & (bounds.maxx >= left) & (bounds.miny <= top) & (bounds.maxy >= bottom)
    return frame[meets & ~placeless]


def _dense(aoi: Any) -> Any:
    left, bottom, right, top = aoi.total_bounds
    return aoi.geometry.segmentize(max(right - left, top - bottom) / 100)


def only_polygons(path: Path, frame: Any) -> list[Any]:
    """Return the geometries of `frame` as valid polygons without height; of a collection, its polygons.

    Invalid ones are mended, with a warning, where that moves less than `MEND_AREA_CHANGE_MAX` of the area.

    Raises
    ------
    InputError
        A geometry is absent, empty, not a polygon, or cannot be mended safely.
    """
    shapes = [_polygons_of(shape) for shape in frame.geometry]
    wrong = features_of_other_types(shapes, ("Polygon", "MultiPolygon"), numbers=frame.index)
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
        for index, shape in zip(frame.index, shapely.force_2d(np.array(shapes, dtype=object)), strict=True)
    ]


def _polygons_of(shape: Any) -> Any:
    """Return the polygons of a collection as one shape, and any other shape as it is."""
    if shape is None or shape.geom_type != "GeometryCollection":
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shape


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


def features_of_other_types(
    shapes: Sequence[Any], types: Sequence[str], *, numbers: Iterable[int] | None = None
) -> list[str]:
    """Return a phrase for each feature that is absent, empty, or of none of the geometry types.

    `numbers` are those of the features in their file; without them they are counted from 0.
    """
    return [
        f"feature {index}: {'none' if shape is None else 'empty' if shape.is_empty else shape.geom_type}"
        for index, shape in zip(range(len(shapes)) if numbers is None else numbers, shapes, strict=True)
        if shape is None or shape.is_empty or shape.geom_type not in types
    ]
