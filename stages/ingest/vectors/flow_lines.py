"""Flow lines that a user gives: one per glacier, drawn from the head to the front or beyond."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import shapely

from stages.common.errors import InputError
from stages.common.params.ingest import FileParams
from stages.ingest.input_files import read_vector, resolve_path
from stages.ingest.region import Region
from stages.ingest.vectors.outlines import OUTLINES_CRS, rgi7_columns
from stages.ingest.vectors.polygons import features_of_other_types, near_aoi

log = logging.getLogger("ingest")


def load_flow_lines(params: FileParams, region: Region) -> Any:
    """Return the whole flow lines that touch the AOI: a GeoDataFrame in EPSG:4326, sorted by its column rgi_id.

    Raises
    ------
    InputError
        The file cannot be read, is empty or has no CRS; an id is absent or not unique; a geometry is not a line, or a
        line in several pieces.
    """
    import geopandas

    path = resolve_path(params.path, where="ingest.auxiliary.flow_lines.path")
    frame = read_vector(path, params.layer)
    near = near_aoi(path, frame, region.aoi)
    ids = rgi7_columns(path, near)["rgi_id"]
    lines = geopandas.GeoDataFrame({"rgi_id": ids}, geometry=_only_lines(path, near), crs=frame.crs)
    in_aoi = lines[lines.intersects(region.aoi.to_crs(frame.crs).union_all())].to_crs(OUTLINES_CRS)
    if in_aoi.empty:
        log.warning("%s: none of the %d flow lines touches the AOI", path, len(frame))
    return in_aoi.sort_values("rgi_id", ignore_index=True)


def _only_lines(path: Path, frame: Any) -> list[Any]:
    shapes = [None if shape is None else _joined(shape) for shape in frame.geometry]
    wrong = features_of_other_types(shapes, ("LineString",), numbers=frame.index)
    if wrong:
        raise InputError(
            f"{len(wrong)} feature(s) are not single lines",
            where=path,
            expected="one LineString per feature",
            found=", ".join(wrong[:5]),
            fix="draw one line per glacier, from its head to its front, without gaps",
        )
    return shapes


def _joined(shape: Any) -> Any:
    """Return a MultiLineString whose parts join as one line: GIS programs write single lines so."""
    flat = shapely.force_2d(shape)
    return shapely.line_merge(flat, directed=True) if flat.geom_type == "MultiLineString" else flat
