"""Parts of the document that the map's script reads: its ground, and its text, which may stand in a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.tables.prepare import Provenance

GLOBE_POINTS = 9
"""Points a side at which the document states where on Earth they lie; the script interpolates between them."""
GLOBE_DIGITS = 8
"""Decimals of a direction from the Earth's middle: 1e-8 of its radius are 6 cm."""


def ground_of(grid: Grid) -> dict[str, Any]:
    """Return the CRS, the extent in metres, and where points of the ground lie on Earth."""
    left, bottom, right, top = grid.bounds
    return {
        "crs": grid.crs if len(grid.crs) < 20 else "the site's CRS",
        "ground": {"left": left, "bottom": bottom, "width": right - left, "height": top - bottom,
                   "pixel": grid.pixel_size_m},
        "globe": directions(grid),
    }  # fmt: skip


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


def attribution(provenance: Mapping[int, Provenance], *, simulated: bool) -> str:
    """Name the source of the scenes of all years as its terms ask for."""
    if simulated:
        return "Simulated scenes: not a measurement"
    names = " ".join({source.platform or "" for each in provenance.values() for source in each.sources}).lower()
    span = "-".join(dict.fromkeys((str(min(provenance)), str(max(provenance)))))
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
