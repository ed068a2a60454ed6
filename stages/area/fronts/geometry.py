"""Draw flow lines and fronts as vectors, so that people can see on a map what the tables of the fronts say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from stages.area.fronts.retreat import METRE_DECIMALS, retreat_m, with_position
from stages.area.fronts.series import FrontPosition, FrontSeries
from stages.common.geo.vectors import write_geopackage
from stages.common.tables.kinds import FLOW_LINE_COLUMNS, FRONT_COLUMNS
from stages.common.tables.labels import GlacierRow

DIRECTION_M = 100.0
"""Length of the part of the flow line, about the front, that the front is drawn square to."""


def write_front_vectors(folder: Path, series: FrontSeries, glaciers: Sequence[GlacierRow], *, crs: str) -> None:
    """Write flow_lines.gpkg and fronts.gpkg, in the grid's CRS; a file without any feature is written too."""
    lines = [
        (line, {"rgi_id": glacier.rgi_id, "glac_name": glacier.glac_name, "flow_line": flow.source})
        for glacier in glaciers
        if (line := (flow := series.flows[glacier.glacier_index]).line) is not None
    ]
    fronts = [front for glacier in glaciers for front in _fronts(series, glacier)]
    for name, features, columns in (("flow_lines", lines, FLOW_LINE_COLUMNS), ("fronts", fronts, FRONT_COLUMNS)):
        frame = geopandas.GeoDataFrame(
            [row for _, row in features], columns=[*columns], geometry=[line for line, _ in features], crs=crs
        )
        write_geopackage(folder / f"{name}.gpkg", frame, layer=name, geometry="LineString")


def across_line(line: Any, at_m: float, *, width_m: float) -> Any:
    """Return a straight LineString square to a flow line, `at_m` metres from its head and `width_m` long.

    Parameters
    ----------
    line
        LineString in a metric CRS.
    """
    ends = [line.interpolate(min(max(at_m + side * DIRECTION_M / 2, 0), line.length)) for side in (-1, 1)]
    (x0, y0), (x1, y1) = (np.array(end.coords[0][:2]) for end in ends)
    square = np.array([y0 - y1, x1 - x0]) / np.hypot(x1 - x0, y1 - y0)
    middle = np.array(line.interpolate(at_m).coords[0][:2])
    return shapely.LineString([middle + side * width_m / 2 * square for side in (1, -1)])


def _fronts(series: FrontSeries, glacier: GlacierRow) -> list[tuple[Any, dict[str, Any]]]:
    """Return the front of a glacier in each year in which it has a position, and its attributes."""
    placed = with_position(series.positions(glacier.glacier_index))
    line, width_m = series.flows[glacier.glacier_index].line, series.params.terminus.box_width_m
    return [
        (across_line(line, position.position_m or 0.0, width_m=width_m), _attributes(glacier, position, placed[0]))
        for position in placed
    ]


def _attributes(glacier: GlacierRow, position: FrontPosition, first: FrontPosition) -> dict[str, Any]:
    return {
        "rgi_id": glacier.rgi_id,
        "glac_name": glacier.glac_name,
        "year": position.year,
        "position_m": round(position.position_m or 0.0, METRE_DECIMALS),
        "position_sigma_m": round(position.sigma_m, METRE_DECIMALS),
        "retreat_m": round(retreat_m(position, first), METRE_DECIMALS),
    }
