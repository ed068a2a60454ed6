"""Cut a region into cells: each glacier in exactly one, and whole within its window. Pure numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer

from region.inventory import utm_code, utm_zone
from region.params import RegionParams
from stages.common.geo.grid import Grid, snap_grid
from stages.common.params.schema import GridParams
from stages.common.types import Float64Array

MERIDIAN_STEP = 1e-6
"""Degrees that a window keeps from the 180th meridian, which no site may cross."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A part of a region that is mapped as one site."""

    name: str
    """UTM zone, hemisphere, and column and row of the cell in it, as ``u44n-17-170``."""
    crs: str
    bounds: tuple[float, float, float, float]
    """Window in metres of `crs`: left, bottom, right, top; corners of pixels."""
    glaciers: tuple[str, ...]
    """Ids of the glaciers that are this cell's, sorted. Others may lie in the window too; they are not counted."""
    outlines_km2: float
    """Area of their outlines."""
    pixels: int
    """Pixels of the window."""


def cells_of(region: RegionParams, glaciers: Any) -> list[Cell]:
    """Cut a region into cells of the size, and with the margin, that its parameters state."""
    section = region.region
    return cut_into_cells(
        glaciers, cell_m=1000 * section.cell_km, margin_m=section.margin_m, grid=region.checked.grid
    )  # fmt: skip


def cut_into_cells(glaciers: Any, *, cell_m: float, margin_m: float, grid: GridParams) -> list[Cell]:
    """Return the cells, from west to east and from south to north within a zone.

    A glacier belongs to the cell that a point within it lies in, on the UTM zone of that point.

    Parameters
    ----------
    glaciers
        GeoDataFrame as `region.inventory.load_inventory` returns it.
    cell_m
        Side of the squares that decide which glaciers are mapped together, in metres.
    margin_m
        Ground around the glaciers, in metres.
    grid
        Size of a pixel, and a corner that pixels start from.
    """
    zones, north = utm_zone(glaciers["lon"].to_numpy()), glaciers["lat"].to_numpy() >= 0
    cells = []
    for zone, is_north in sorted({(int(zone), bool(half)) for zone, half in zip(zones, north, strict=True)}):
        crs = utm_code(zone, north=is_north)
        part = glaciers[(zones == zone) & (north == is_north)]
        cells += _cells_of_zone(part, crs, cell_m=cell_m, margin_m=margin_m, grid=grid)
    return cells


def _cells_of_zone(part: Any, crs: str, *, cell_m: float, margin_m: float, grid: GridParams) -> list[Cell]:
    prefix = f"u{crs[-2:]}{'n' if crs.startswith('EPSG:326') else 's'}"
    shapes = part.geometry.to_crs(crs)
    bounds, areas = shapes.bounds.to_numpy(), shapes.area.to_numpy() / 1e6
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        part["lon"].to_numpy(), part["lat"].to_numpy()
    )
    places = np.column_stack([np.floor(x / cell_m), np.floor(y / cell_m)]).astype(int)
    ids = part["rgi_id"].to_numpy()
    cells = []
    for column, row in sorted({(int(column), int(row)) for column, row in places}):
        chosen = (places == (column, row)).all(axis=1)
        extent = (*bounds[chosen, :2].min(axis=0).tolist(), *bounds[chosen, 2:].max(axis=0).tolist())
        window = _window(extent, crs, margin_m, grid)
        cells.append(
            Cell(
                name=f"{prefix}-{column}-{row}",
                crs=crs,
                bounds=window.bounds,
                glaciers=tuple(sorted(ids[chosen])),
                outlines_km2=float(areas[chosen].sum()),
                pixels=window.height * window.width,
            )
        )
    return cells


def _window(extent: tuple[float, ...], crs: str, margin_m: float, grid: GridParams) -> Grid:
    """Return the pixels over an extent and its margin; the margin ends at the 180th meridian."""
    left, bottom, right, top = extent
    west, east = _meridian_m(crs, bottom - margin_m, top + margin_m)
    wide = (
        min(left, max(left - margin_m, west)),
        bottom - margin_m,
        max(right, min(right + margin_m, east)),
        top + margin_m,
    )
    return snap_grid(wide, crs=crs, pixel_size_m=grid.pixel_size_m, origin_m=grid.origin_m)


def _meridian_m(crs: str, bottom: float, top: float) -> tuple[float, float]:
    """Return the least and the largest x, in metres, that lie on one side of the 180th meridian between two y."""
    zone = int(crs[-2:])
    if zone not in (1, 60):
        return -math.inf, math.inf
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    _, latitudes = to_degrees.transform([500_000.0] * 2, [bottom, top])
    side = -180 + MERIDIAN_STEP if zone == 1 else 180 - MERIDIAN_STEP
    x: Float64Array = np.asarray(to_metres.transform([side] * 2, latitudes)[0])
    return (float(x.max()), math.inf) if zone == 1 else (-math.inf, float(x.min()))
