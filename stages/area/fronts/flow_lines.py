"""Find a flow line for each glacier: given by the user, or derived from DEM and outline, or the reason why none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine

from stages.area import contract
from stages.area.fronts.centreline import centreline
from stages.area.map.elevation import Elevation
from stages.area.site import AreaSite
from stages.common.geo.vectors import read_polygons
from stages.common.params.area import FrontParams
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.data import AuxiliaryManifest

GIVEN, DERIVED, NONE = "given", "DEM and outline", "none"
"""Where a flow line comes from, in the words of terminus_by_year.csv."""

CELLS_ACROSS = 250
"""Most cells along the side of a square as large as a glacier, when its line is derived: finer cells change no line."""

DIRECTION_M = 300.0
"""Length of the line's last part, whose direction it takes beyond the outline."""


@dataclass(frozen=True, kw_only=True)
class FlowLine:
    """Flow line of one glacier."""

    line: Any
    """LineString in the grid's CRS from the head to beyond the outline's end; None where there is none."""
    source: str
    """`GIVEN`, `DERIVED` or `NONE`."""
    reason: str | None = None
    """Why there is no line; None where there is one."""


def flow_lines(run: Run, site: AreaSite, dem: Elevation | None) -> dict[int, FlowLine]:
    """Return a flow line, or the reason why there is none, for each glacier by its number (from 1) in glaciers.csv."""
    params = run.params.area.terminus
    manifest = read_document(run.path(contract.AUXILIARY), AuxiliaryManifest)
    user_lines = _read_lines(run.path(contract.FLOW_LINES), site) if manifest.flow_lines else {}
    if strangers := sorted(set(user_lines) - set(site.rgi_ids)):
        run.log.warning("flow lines of no glacier in the AOI: %s", ", ".join(strangers))
    if turned := [rgi_id for rgi_id, line in user_lines.items() if dem and dem.rises_along(line, site.grid.crs)]:
        run.log.warning("flow lines drawn from the front up, turned round: %s", ", ".join(turned))
        user_lines |= {rgi_id: user_lines[rgi_id].reverse() for rgi_id in turned}
    return {row.glacier_index: _flow_line(row.glacier_index, site, user_lines, dem, params) for row in site.glaciers}


def _flow_line(
    index: int, site: AreaSite, user_lines: Mapping[str, Any], dem: Elevation | None, params: FrontParams
) -> FlowLine:
    rgi_id = site.glaciers[index - 1].rgi_id
    if rgi_id in user_lines:
        return FlowLine(line=extend_line(user_lines[rgi_id], params.extension_m), source=GIVEN)
    if site.outlines_km2[index] < params.min_glacier_km2:
        return _no_line(f"smaller than {params.min_glacier_km2:g} km²")
    if dem is None:
        return _no_line("no flow line and no DEM are given")
    return derive(site, index, dem, params)


def _no_line(reason: str) -> FlowLine:
    return FlowLine(line=None, source=NONE, reason=reason)


def _read_lines(path: Path, site: AreaSite) -> dict[str, Any]:
    """Read the user's flow lines: RGI id to LineString in the grid's CRS."""
    frame = read_polygons(path, site.grid.crs)
    return dict(zip(frame["rgi_id"].tolist(), frame.geometry, strict=True))


def derive(site: AreaSite, index: int, dem: Elevation, params: FrontParams) -> FlowLine:
    """Derive a glacier's flow line from its outline within the AOI and the elevation there."""
    rows, columns = site.window(index)
    outline = (site.owner[rows, columns] == index) & site.prior[rows, columns]
    if not outline.any():
        return _no_line("none of it lies in the AOI")
    step = math.ceil(math.sqrt(int(outline.sum())) / CELLS_ACROSS)
    half = step // 2
    cells = outline[half::step, half::step]
    first = Affine.translation(columns.start + half + 0.5, rows.start + half + 0.5)  # centre of the first cell
    transform = site.grid.transform @ first @ Affine.scale(step) @ Affine.translation(-0.5, -0.5)
    height_m = dem.on_cells((cells.shape[0], cells.shape[1]), transform, site.grid.crs)
    if height_m is None:
        return _no_line("the DEM does not reach it")
    if np.ptp(height_m[cells]) == 0:
        return _no_line("the DEM is flat there")
    path = centreline(cells, height_m)
    if len(path) < 2:
        return _no_line("its highest and its lowest point are the same")
    if _cut_off(site, *(path[-1] * step + half + (rows.start, columns.start)), margin=step + 1):
        return _no_line("its lower end lies at the edge of the AOI: the front may be beyond")
    line = shapely.LineString(np.column_stack(transform @ (path[:, 1] + 0.5, path[:, 0] + 0.5)))
    return FlowLine(line=extend_line(line, params.extension_m), source=DERIVED)


def extend_line(line: Any, length_m: float) -> Any:
    """Lengthen a line by `length_m` at its end, straight on in the direction of its last `DIRECTION_M`."""
    if length_m == 0:
        return line
    before = np.array(line.interpolate(max(line.length - DIRECTION_M, 0)).coords[0])
    end = np.array(line.coords[-1])
    beyond = end + length_m * (end - before) / np.hypot(*(end - before))
    return shapely.LineString([*line.coords, tuple(beyond)])


def _cut_off(site: AreaSite, row: float, column: float, *, margin: int) -> bool:
    """Return whether a pixel lies within `margin` pixels of ground outside the AOI, or of the raster's edge."""
    top, left = round(row) - margin, round(column) - margin
    around = site.aoi[max(top, 0) : top + 2 * margin + 1, max(left, 0) : left + 2 * margin + 1]
    return bool(around.size < (2 * margin + 1) ** 2 or not around.all())
