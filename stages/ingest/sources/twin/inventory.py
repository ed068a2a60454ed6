"""Outlines as in an inventory: of the year 2000, drawn by hand on 30 m pixels, without thin ice on headwalls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from pyproj import Geod, Transformer

from stages.common.geo.grid import Grid
from stages.common.params.ingest import TwinParams
from stages.common.tables.kinds import RGI7_COLUMNS
from stages.common.types import AnyArray, BoolArray
from stages.ingest.sources.twin import change
from stages.ingest.sources.twin.fields import blur, fractal
from stages.ingest.sources.twin.landscape import Landscape

DRAWN_ON_M = 30.0
"""Pixel size of the Landsat scenes on which RGI outlines in High Mountain Asia were drawn."""

HAND_M = 10.0
"""Standard deviation of the delineation noise: a third of a pixel (Paul et al. 2013, Ann. Glaciol. 54)."""

HAND_WAVELENGTH_M = 300.0
"""Distance over which a hand errs in the same direction."""

HEADWALL_SLOPE = 0.85
"""Slope (tangent, 40 degrees): steeper ice above the equilibrium line was left out."""

SMALLEST_M2 = 1e4
"""Area of the smallest glacier in RGI."""

DEGREE_DECIMALS = 7
"""Decimals of coordinates, a centimetre: more would differ between versions of PROJ."""


def inventory_outlines(world: Landscape, params: TwinParams, grid: Grid) -> Any:
    """Return the outlines as a GeoDataFrame in EPSG:4326 with the columns of RGI 7.0.

    Parameters
    ----------
    grid
        Grid of the world's pixels.
    """
    import geopandas

    ice = inventoried_ice(world, params)
    hand = _hand(world, grid)
    drawn = [
        (glacier, _drawn_outline(ice & (world.glacier == glacier.index), grid, hand)) for glacier in world.glaciers
    ]
    outlines = [(glacier, shape) for glacier, shape in drawn if not shape.is_empty]
    rows = [_attributes(world, glacier.index, glacier.line[-1], shape, grid) for glacier, shape in outlines]
    geometry = [_in_degrees(shape, grid.crs) for _, shape in outlines]
    columns = {name: [row[name] for row in rows] for name in RGI7_COLUMNS}
    return geopandas.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4326")


def rgi_id(world: Landscape, index: int) -> str:
    """Return the id of a glacier, which cannot be mistaken for that of a real one."""
    return f"TWIN-{world.seed:04d}-{index:03d}"


def inventoried_ice(world: Landscape, params: TwinParams) -> BoolArray:
    """Return the ice of the year 2000 without thin ice on headwalls, (H, W)."""
    ice = change.ice_thickness(world, params, change.OUTLINE_YEAR) > 0
    height = blur(world.bed_m, 3)
    wall = (blur(world.slope, 3) > HEADWALL_SLOPE) & (height > world.equilibrium_m)
    return np.asarray(ice & ~wall)


def _drawn_outline(ice: BoolArray, grid: Grid, hand: Callable[[AnyArray], AnyArray]) -> Any:
    """Return a glacier's outline: smoothed to 30 m pixels, simplified, its vertices moved as by an unsteady hand."""
    step = max(round(DRAWN_ON_M / grid.pixel_size_m), 1)
    share = blur(ice.astype(float), step / 2)[step // 2 :: step, step // 2 :: step] > 0.5
    shapes = rasterio.features.shapes(share.astype("uint8"), transform=grid.transform @ Affine.scale(step), mask=share)
    whole = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in shapes])
    moved = shapely.make_valid(shapely.transform(shapely.simplify(whole, DRAWN_ON_M), hand))
    parts = [part for part in shapely.get_parts(moved) if part.geom_type == "Polygon" and part.area >= SMALLEST_M2]
    return shapely.multipolygons(parts) if parts else shapely.MultiPolygon()


def _hand(world: Landscape, grid: Grid) -> Callable[[AnyArray], AnyArray]:
    """Return a function that moves points (N, 2) in metres by the delineation noise; near points move alike."""
    rng = np.random.default_rng([world.seed, 3])
    east, north = (fractal(rng, world.shape, pixel_m=world.pixel_m, longest_m=HAND_WAVELENGTH_M) for _ in range(2))

    def move(xy: AnyArray) -> AnyArray:
        column, row = ~grid.transform @ (xy[:, 0], xy[:, 1])
        at = np.clip(row, 0, world.shape[0] - 1).astype(int), np.clip(column, 0, world.shape[1] - 1).astype(int)
        return np.asarray(xy + HAND_M * np.column_stack([east[at], north[at]]))

    return move


def _attributes(world: Landscape, index: int, front: AnyArray, shape: Any, grid: Grid) -> dict[str, Any]:
    of_glacier = world.glacier == index
    heights = world.bed_m[of_glacier & (world.potential_m > 0)]
    to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    size_px = world.terrain.spacing_m / world.pixel_m
    front_degrees = to_degrees.transform(*(grid.transform @ (front[1] * size_px + 0.5, front[0] * size_px + 0.5)))
    centre = to_degrees.transform(*shapely.get_coordinates(shape.centroid)[0])
    area_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(shapely.orient_polygons(_in_degrees(shape, grid.crs)))
    numbers = dict(zip(("cenlon", "cenlat", "termlon", "termlat"), (*centre, *front_degrees), strict=True))
    return {
        "rgi_id": rgi_id(world, index),
        "glac_name": f"Simulated glacier {index}",
        "area_km2": round(abs(area_m2) / 1e6, 4),
        "src_date": f"{change.OUTLINE_YEAR}-10-01",
        **{name: round(float(value), DEGREE_DECIMALS) for name, value in numbers.items()},
        "zmin_m": round(float(heights.min())),
        "zmax_m": round(float(heights.max())),
    }


def _in_degrees(shape: Any, crs: str) -> Any:
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform

    def transform(xy: AnyArray) -> AnyArray:
        return np.round(np.column_stack(to_degrees(xy[:, 0], xy[:, 1])), DEGREE_DECIMALS)

    return shapely.make_valid(shapely.transform(shape, transform))
