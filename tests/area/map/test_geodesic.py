from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine

from stages.area.map.geodesic import check_geodesic, geodesic_area_km2
from stages.area.map.polygons import trace
from stages.area.map.surface import zonal_area_km2
from stages.common.errors import ContractError
from stages.common.geo.grid import Grid

GANGOTRI = Grid(crs="EPSG:32644", transform=Affine(30.0, 0, 312_000, 0, -30.0, 3_428_000), height=900, width=900)
EVEREST = Grid(crs="EPSG:32645", transform=Affine(30.0, 0, 478_000, 0, -30.0, 3_108_140), height=655, width=800)


def mapped(grid: Grid) -> np.ndarray:
    """Ice over much of the grid, with holes."""
    rows, columns = np.ogrid[: grid.height, : grid.width]
    return np.asarray((np.sin(rows / 37) + np.cos(columns / 53) > -0.8) & (np.hypot(rows - 400, columns - 300) > 50))


@pytest.mark.parametrize("grid", [GANGOTRI, EVEREST], ids=["Gangotri", "Everest"])
def test_pixel_areas_agree_with_the_ellipsoid(grid: Grid) -> None:
    ice = mapped(grid)
    zones = np.ones(grid.shape, dtype=np.uint16)
    km2 = float(zonal_area_km2(grid, zones, lambda rows: {"ice": ice[rows]}, n_zones=2)["ice"].sum())
    polygons = trace(zones, ice, grid.transform).values()
    assert km2 == pytest.approx(geodesic_area_km2(polygons, grid.crs), rel=1e-5)
    check_geodesic(km2, polygons, grid.crs, where="here")
    nominal_km2 = ice.sum() * 0.0009
    assert abs(nominal_km2 / km2 - 1) == pytest.approx({"EPSG:32644": 3e-5, "EPSG:32645": 8e-4}[grid.crs], rel=0.9)


def test_a_wrong_area_is_refused() -> None:
    ice = mapped(EVEREST)
    polygons = trace(np.ones(EVEREST.shape, dtype=np.uint16), ice, EVEREST.transform).values()
    with pytest.raises(ContractError, match="not the area on the ellipsoid"):
        check_geodesic(ice.sum() * 0.0009, polygons, EVEREST.crs, where="nominal pixel areas")


def test_no_ice_has_the_area_of_no_polygon() -> None:
    check_geodesic(0.0, [], EVEREST.crs, where="nothing mapped")


def test_parts_add_up_and_holes_are_left_out() -> None:
    """Two squares of a square kilometre, each with a hole of a tenth of its side, near the zone's central meridian."""
    left, bottom = 500_000, 3_400_000
    squares = [
        shapely.Polygon(
            shapely.box(left + x, bottom, left + x + 1000, bottom + 1000).exterior,
            [shapely.box(left + x + 100, bottom + 100, left + x + 200, bottom + 200).exterior],
        )
        for x in (0, 3000)
    ]
    area_km2 = geodesic_area_km2([shapely.MultiPolygon(squares)], "EPSG:32644")
    assert area_km2 == pytest.approx(2 * 0.99 / 0.9996**2, rel=1e-5)
