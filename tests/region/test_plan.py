"""Each glacier is in exactly one cell, and whole within its window."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from region.inventory import in_one_piece, utm_zone, wrapped
from region.plan import Cell, cut_into_cells
from stages.common.params.schema import GridParams

GRID = GridParams(crs="EPSG:32645", pixel_size_m=10)


def frame(shapes: list[shapely.Geometry]) -> geopandas.GeoDataFrame:
    whole = in_one_piece(np.array(shapes, dtype=object))
    inner = shapely.point_on_surface(whole)
    return geopandas.GeoDataFrame(
        {
            "rgi_id": [f"G{index:03d}" for index in range(len(shapes))],
            "lon": wrapped(shapely.get_x(inner)),
            "lat": shapely.get_y(inner),
        },
        geometry=whole,
        crs="EPSG:4326",
    )


def cells_of(shapes: list[shapely.Geometry], **more: float) -> list[Cell]:
    return cut_into_cells(frame(shapes), grid=GRID, **{"cell_m": 20_000.0, "margin_m": 2000.0} | more)


def disc(lon: float, lat: float, radius: float = 0.01) -> shapely.Geometry:
    return shapely.Point(lon, lat).buffer(radius)


glaciers = st.lists(
    st.builds(disc, st.floats(-179.5, 179.5), st.floats(-75, 80), st.floats(0.001, 0.3)), min_size=1, max_size=25
)


@settings(max_examples=40)
@given(glaciers, st.floats(2000, 60000))
def test_no_glacier_twice_and_none_lost(shapes: list[shapely.Geometry], cell_m: float) -> None:
    cells = cells_of(shapes, cell_m=cell_m)
    named = [name for cell in cells for name in cell.glaciers]
    assert sorted(named) == [f"G{index:03d}" for index in range(len(shapes))]
    assert len({cell.name for cell in cells}) == len(cells)


@settings(max_examples=40)
@given(glaciers)
def test_a_glacier_lies_whole_within_its_window(shapes: list[shapely.Geometry]) -> None:
    table = frame(shapes).set_index("rgi_id")
    for cell in cells_of(shapes):
        for shape in table.loc[list(cell.glaciers)].geometry.to_crs(cell.crs):
            assert shapely.box(*cell.bounds).covers(shape)


@settings(max_examples=40)
@given(glaciers)
def test_windows_are_whole_pixels(shapes: list[shapely.Geometry]) -> None:
    for cell in cells_of(shapes):
        left, bottom, right, top = cell.bounds
        assert not np.any(np.mod(cell.bounds, GRID.pixel_size_m))
        assert cell.pixels == round((right - left) * (top - bottom) / GRID.pixel_size_m**2)


def test_glaciers_far_from_each_other_are_in_cells_of_about_20_km() -> None:
    shapes = [disc(86.5 + 0.05 * i, 28 + 0.05 * j) for i in range(20) for j in range(20)]
    cells = cells_of(shapes)
    sides = [max(c.bounds[2] - c.bounds[0], c.bounds[3] - c.bounds[1]) for c in cells]
    assert 20 < len(cells) < 60
    assert max(sides) < 20_000 + 2 * 2000 + 2 * 1200


def test_a_large_glacier_widens_its_cell_alone() -> None:
    long = shapely.box(86.5, 28.0, 87.1, 28.02)
    large, small = sorted(cells_of([long, disc(86.5, 28.6)]), key=lambda cell: cell.pixels, reverse=True)
    assert large.bounds[2] - large.bounds[0] > 58_000
    assert small.bounds[2] - small.bounds[0] < 8_000


@pytest.mark.parametrize(("lon", "zone"), [(-180, 1), (-174.0001, 1), (-174, 2), (0, 31), (86.9, 45), (179.9999, 60)])
def test_zones(lon: float, zone: int) -> None:
    assert utm_zone(np.array([float(lon)])).tolist() == [zone]


def test_hemispheres_are_zones_of_their_own() -> None:
    north, south = cells_of([disc(-70.5, 0.05), disc(-70.5, -0.05)])
    assert {north.crs, south.crs} == {"EPSG:32619", "EPSG:32719"}


def test_a_glacier_across_the_meridian_is_one_glacier() -> None:
    halves = shapely.MultiPolygon([shapely.box(179.97, 71, 180, 71.02), shapely.box(-180, 71, -179.98, 71.02)])
    (cell,) = cells_of([halves])
    assert cell.crs in ("EPSG:32660", "EPSG:32601")
    assert cell.bounds[2] - cell.bounds[0] < 10_000


@pytest.mark.parametrize("lon", [179.98, -179.98])
def test_the_margin_of_a_window_ends_at_the_meridian(lon: float) -> None:
    (cell,) = cells_of([disc(lon, 71.0, 0.01)])
    corners = np.array(shapely.box(*cell.bounds).segmentize(100).exterior.coords)
    longitudes, _ = Transformer.from_crs(cell.crs, "EPSG:4326", always_xy=True).transform(*corners.T)
    assert (np.sign(longitudes) == np.sign(lon)).all()
