"""Debris cover on a year's mapped glaciers as polygons, where `area` could tell it from clean ice."""

from __future__ import annotations

from typing import Any

from exports.finished import Finished
from stages.area.year.cover import BY_OUTLINES, clean_pixels
from stages.common.geo.raster import grid_of, open_raster, refuse_unreadable
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.scene.clean_ice import RED, SWIR
from stages.common.tables.area import AreaRow
from stages.common.tables.kinds import MASK_NODATA

SCENE, MASK = "artifacts/prepare/{years}/scene.tif", "artifacts/predict/{years}/mask.tif"
GIVEN = "data/auxiliary/debris.gpkg"


def debris_cover(site: Finished, row: AreaRow, outlines: Any) -> Any:
    """Return the debris cover of a year's outlines: a GeoDataFrame, a feature for each glacier with some.

    It is told from clean ice as `area` did (`surface_method`): by the band ratio, or by given debris outlines.
    Pieces below `area.min_polygon_area_m2` are left out. None where the two kinds of ice cannot be told apart.
    """
    import geopandas

    if row.debris_covered_km2 is None:
        return None
    by_outlines = row.surface_method == BY_OUTLINES
    pieces = (
        read_polygons(site.root / GIVEN, site.params.grid.crs) if by_outlines else _by_ratio(site, row.year, outlines)
    )
    if pieces is None:
        return None
    pieces = pieces[["geometry"]].explode()
    pieces = pieces[pieces.area >= site.params.area.min_polygon_area_m2]
    names = outlines[["rgi_id", "glac_name", "geometry"]]
    cover = geopandas.overlay(names, pieces, how="intersection", keep_geom_type=True).dissolve("rgi_id", as_index=False)
    return cover.assign(area_km2=cover.area / 1e6)


def _by_ratio(site: Finished, year: int, outlines: Any) -> Any:
    """Return observed ice within the outlines that is not clean, as polygons; None without the bands for it."""
    import geopandas
    import rasterio.features
    import shapely

    scene_path, mask_path = site.path(SCENE, year), site.path(MASK, year)
    with open_raster(scene_path) as scene, refuse_unreadable(scene_path):
        if not {RED, SWIR} <= set(scene.descriptions):
            return None
        grid = grid_of(scene)
        clean = clean_pixels(scene, ratio_min=site.params.area.surface.clean_ratio_min)
    with open_raster(mask_path) as mask, refuse_unreadable(mask_path):
        debris = (mask.read(1) != MASK_NODATA) & pixels_inside(outlines.geometry, grid) & ~clean[:]
    shapes = rasterio.features.shapes(debris.astype("uint8"), mask=debris, transform=grid.transform)
    return geopandas.GeoDataFrame(geometry=[shapely.geometry.shape(shape) for shape, _ in shapes], crs=grid.crs)
