"""The document that the map's script reads, as text that may stand in a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.display import colours
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_grid
from stages.common.run.stage import Run
from stages.report.findings import Findings
from stages.report.qgis import series as layers
from stages.report.web_map import series, shapes
from stages.report.web_map.pictures import map_pictures

GLOBE_POINTS = 9
"""Points a side at which the document states where on Earth they lie; the script interpolates between them."""
GLOBE_DIGITS = 8
"""Decimals of a direction from the Earth's middle: 1e-8 of its radius are 6 cm."""
COLOURS = {
    "year": colours.THIS_YEAR, "old": colours.REFERENCE, "front": colours.VERMILLION, "flow": colours.GREEN,
    "probability": colours.SKY, "lost": colours.LOST, "gained": colours.GAINED, "unseen": colours.GREY_DARK,
}  # fmt: skip


def map_document(run: Run, findings: Findings, frames: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the map shows; `frames` are the layers of series.gpkg."""
    grid = read_grid(findings.glacier_id)
    paths = run.by_year("artifacts/area/change_{years}.tif")
    change_maps: dict[int, Path] = {year: path for year, path in paths.items() if path.exists()}
    left, bottom, right, top = grid.bounds
    return {
        "years": findings.years,
        "dates": {row.year: row.date for row in findings.areas},
        "crs": grid.crs if len(grid.crs) < 20 else "the site's CRS",
        "ground": {"left": left, "bottom": bottom, "width": right - left, "height": top - bottom,
                   "pixel": grid.pixel_size_m},
        "globe": directions(grid),
        "colours": {name: colours.hexadecimal(colour) for name, colour in COLOURS.items()},
        "attribution": attribution(findings),
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
    outlines: dict[int, list[Any]] = {}
    for row in mapped.itertuples():
        outlines.setdefault(int(row.year), []).append([row.rgi_id, shapes.polygons(row.geometry, grid, tolerance)])
    return {
        "tolerance": tolerance,
        "outlines": outlines,
        "old": [[row.rgi_id, shapes.polygons(row.geometry, grid, tolerance)] for row in old.itertuples()],
        "flow": [shapes.steps(line, grid) for line in frames[layers.FLOW_LINES].geometry],
        "fronts": [
            [row.rgi_id, int(row.year), shapes.steps(row.geometry, grid), row.retreat_m, row.position_sigma_m]
            for row in fronts.itertuples()
        ],
    }


def directions(grid: Grid) -> list[list[float]]:
    """Return where points of the ground lie on Earth, as x, y, z of a unit vector along the vertical.

    Rows go from south to north, in each row from west to east, `GLOBE_POINTS` a side. Latitude is asin(z), longitude
    atan2(y, x): interpolation works across the date line and at the poles too.
    """
    from pyproj import Transformer

    left, bottom, right, top = grid.bounds
    east, north = np.meshgrid(np.linspace(left, right, GLOBE_POINTS), np.linspace(bottom, top, GLOBE_POINTS))
    lon, lat = map(np.radians, Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(east, north))
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    return [[round(float(part), GLOBE_DIGITS) for part in vector] for vector in vectors.reshape(-1, 3)]


def attribution(findings: Findings) -> str:
    """Name the source of the scenes as its terms ask for."""
    if findings.site.simulated:
        return "Simulated scenes: not a measurement"
    platforms = {source.platform or "" for each in findings.provenance.values() for source in each.sources}
    names = " ".join(platforms).lower()
    span = "-".join(dict.fromkeys((str(findings.years[0]), str(findings.years[-1]))))
    thanks = [
        text
        for word, text in (
            ("sentinel", f"Contains modified Copernicus Sentinel data {span}"),
            ("landsat", "Landsat scenes courtesy of the U.S. Geological Survey"),
        )
        if word in names
    ]
    return "; ".join(thanks) or f"Scenes of {span}: see where the pixels come from"


def as_script_text(document: Mapping[str, Any]) -> str:
    """Return JSON that may stand inside a script element: no markup, no comment can begin in it."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
