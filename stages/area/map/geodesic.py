"""Check the planimetric area in a second way: polygons on the ellipsoid."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from stages.common.errors import ContractError

TOLERANCE = 5e-4
"""Largest relative difference allowed between the two areas."""

LONGEST_EDGE_M = 1000.0
"""A line that is straight on the grid is no geodesic; pieces this short make no difference."""

NEGLIGIBLE_KM2 = 1e-6
"""Difference that is always allowed: a square metre."""


def geodesic_area_km2(polygons: Iterable[BaseGeometry], crs: str) -> float:
    """Return the area, holes left out, of polygons in the projected `crs`, on its ellipsoid (Karney 2013)."""
    grid_crs: Any = CRS.from_user_input(crs)
    to_degrees = Transformer.from_crs(grid_crs, grid_crs.geodetic_crs, always_xy=True)
    geod = grid_crs.get_geod()
    total_m2 = 0.0
    for polygon in polygons:
        parts = shapely.get_parts(shapely.segmentize(polygon, LONGEST_EDGE_M))
        _, metres, (ring_ends, part_ends) = shapely.to_ragged_array(parts)
        longitude, latitude = to_degrees.transform(*metres.T)
        shells = set(part_ends[:-1].tolist())
        for index, (start, stop) in enumerate(pairwise(ring_ends.tolist())):
            area_m2, _ = geod.polygon_area_perimeter(longitude[start:stop], latitude[start:stop])
            total_m2 += abs(area_m2) if index in shells else -abs(area_m2)
    return float(total_m2 / 1e6)


def check_geodesic(planimetric_km2: float, polygons: Iterable[BaseGeometry], crs: str, *, where: str) -> None:
    """Raise unless pixel areas and polygons on the ellipsoid give the same area within 0.05 %.

    Raises
    ------
    ContractError
        They differ by more: the grid's CRS does not measure what it claims.
    """
    geodesic_km2 = geodesic_area_km2(polygons, crs)
    if abs(geodesic_km2 - planimetric_km2) > TOLERANCE * geodesic_km2 + NEGLIGIBLE_KM2:
        raise ContractError(
            "the area from pixels is not the area on the ellipsoid",
            where=where,
            expected=f"{geodesic_km2:.4f} km² within {100 * TOLERANCE:g} %",
            found=f"{planimetric_km2:.4f} km² on a grid in {crs}",
            fix="choose a projected CRS made for this place, such as its UTM zone",
        )
