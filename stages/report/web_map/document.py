"""The document that the script of the report's map reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common.display import colours
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_grid
from stages.common.run.stage import Run
from stages.common.web_map import shapes
from stages.common.web_map.document import attribution, ground_of
from stages.report.findings import Findings
from stages.report.qgis import series as layers
from stages.report.web_map import series
from stages.report.web_map.pictures import map_pictures

COLOURS = {
    "year": colours.THIS_YEAR, "old": colours.REFERENCE, "front": colours.VERMILLION, "flow": colours.GREEN,
    "probability": colours.SKY, "lost": colours.LOST, "gained": colours.GAINED, "unseen": colours.GREY_DARK,
}  # fmt: skip


def map_document(run: Run, findings: Findings, frames: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the map shows; `frames` are the layers of series.gpkg."""
    grid = read_grid(findings.glacier_id)
    paths = run.by_year("artifacts/area/change_{years}.tif")
    change_maps: dict[int, Path] = {year: path for year, path in paths.items() if path.exists()}
    return {
        "years": findings.years,
        "dates": {row.year: row.date for row in findings.areas},
        **ground_of(grid),
        "colours": {name: colours.hexadecimal(colour) for name, colour in COLOURS.items()},
        "attribution": attribution(findings.provenance, simulated=findings.site.simulated),
        "simulated": findings.site.simulated,
        "pictures": map_pictures(findings, change_maps, grid),
        "site": series.site_series(findings),
        "glaciers": series.glacier_series(findings),
        **map_shapes(frames, grid),
    }  # fmt: skip


def map_shapes(frames: Mapping[str, Any], grid: Grid) -> dict[str, Any]:
    """Return the outlines of each year, the old ones, flow lines and fronts."""
    mapped, old, fronts = frames[layers.OUTLINES], frames[layers.OLD_OUTLINES], frames[layers.FRONTS]
    tolerance = shapes.tolerance_of([*mapped.geometry, *old.geometry])
    return {
        "tolerance": tolerance,
        "outlines": {int(year): shapes.outlines(of_year, grid, tolerance) for year, of_year in mapped.groupby("year")},
        "old": shapes.outlines(old, grid, tolerance),
        "flow": [shapes.steps(line, grid) for line in frames[layers.FLOW_LINES].geometry],
        "fronts": [
            [row.rgi_id, int(row.year), shapes.steps(row.geometry, grid), row.retreat_m, row.position_sigma_m]
            for row in fronts.itertuples()
        ],
    }
