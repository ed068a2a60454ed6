"""Reading and writing polygons and lines, and the site's grid, which follows from the AOI."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from stages.common.errors import InputError, ParamsError
from stages.common.files import require_file
from stages.common.geo.grid import Grid, parse_metric_crs, pixel_area_km2, snap_grid
from stages.common.geo.raster import GRID_PIXELS_MAX
from stages.common.geo.readback import refuse_unwritten
from stages.common.params.schema import GridParams
from stages.common.types import BoolArray

VECTOR_MAGIC = (b"SQLite format 3\0", b"\0\0\x27\x0a")
"""First bytes of a GeoPackage and of a Shapefile; GeoJSON begins with a brace."""

LINKED_CRS = re.compile(rb'"type"\s*:\s*"(link|url)"', re.IGNORECASE)
"""A CRS of GeoJSON 2008 that is to be fetched from elsewhere."""

VECTOR_HEAD_BYTES = 2**26
"""Bytes of a GeoJSON in which such a CRS is looked for."""

EDGE_NODES = 101
"""Points per side when bounds are reprojected: an edge that is straight in one CRS is curved in another."""

AREAL_SCALE_ERROR_MAX = 0.1
"""Largest accepted error. UTM is within 0.002 in its zone, polar stereographic within 0.1 where glaciers are."""

FIXED_TIME = "2000-01-01T00:00:00.000Z"
"""Time of change that every GeoPackage records, so that the same features give the same bytes."""


def require_vector_format(path: Path) -> None:
    """Refuse what is neither a GeoPackage, a Shapefile nor GeoJSON, before GDAL sees it.

    GDAL would find lists of other files and addresses to read (a VRT, a service) in it; and it asks the address of a
    GeoJSON's CRS.

    Raises
    ------
    InputError
        The first bytes are those of no such file, or a GeoJSON's CRS is the address of another document.
    """
    with path.open("rb") as stream:
        head = stream.read(16)
        json = head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
        linked = json and LINKED_CRS.search(head + stream.read(VECTOR_HEAD_BYTES))
    if linked or not (json or head.startswith(VECTOR_MAGIC)):
        raise InputError(
            "the vector file is not readable",
            where=path,
            expected="a GeoPackage, Shapefile (the .shp) or GeoJSON, complete in itself",
            found="a CRS that another address states" if linked else f"a file that begins with {head[:4]!r}",
            fix="convert it: `ogr2ogr <new file>.gpkg <file>`; unpack a zip first",
        )


def read_features(path: Path) -> Any:
    """Return the features of a vector file as a GeoDataFrame, in the file's own CRS and order.

    Raises
    ------
    InputError
        The file is absent, cut short or not readable, or has no CRS.
    """
    import geopandas
    from pyogrio.errors import DataLayerError, DataSourceError
    from shapely.errors import ShapelyError

    require_file(path, what="vector file", expected="a GeoPackage", fix="run `dvc pull` or `make ingest`")
    require_vector_format(path)
    try:
        frame = geopandas.read_file(path)
    except (DataSourceError, DataLayerError, ShapelyError, UnicodeDecodeError) as error:
        raise InputError(
            "the vector file is not readable",
            where=path,
            expected="a GeoPackage with features",
            found=" ".join(str(error).split())[:300],
            fix="run `dvc pull` or `make ingest`",
        ) from error
    if frame.crs is None:
        raise InputError("the vector file has no CRS", where=path, expected="a CRS", fix="run `make ingest` again")
    return frame


def read_polygons(path: Path, crs: str) -> Any:
    """Return the features of a vector file in `data/`, reprojected to `crs`.

    Returns
    -------
    GeoDataFrame with Polygon and MultiPolygon geometries (of flow_lines.gpkg: LineString), in the file's order.

    Raises
    ------
    InputError
        As `read_features`.
    """
    return read_features(path).to_crs(crs)


def write_polygons(path: Path, frame: Any, *, layer: str) -> None:
    """Write a GeoDataFrame of polygons as a GeoPackage with the same bytes for the same features.

    All geometries become MultiPolygons without height; GDAL is given a fixed time of change.
    """
    import shapely

    flat = shapely.force_2d(frame.geometry.array)
    parts = [shapely.multipolygons(shapely.get_parts(shape)) for shape in flat]
    uniform = frame.set_geometry(type(frame.geometry)(parts, index=frame.index, crs=frame.crs))
    write_geopackage(path, uniform, layer=layer, geometry="MultiPolygon")


def write_lines(path: Path, frame: Any, *, layer: str) -> None:
    """Write a GeoDataFrame of LineStrings as a GeoPackage with the same bytes for the same features."""
    write_geopackage(path, frame, layer=layer, geometry="LineString")


def write_geopackage(path: Path, frame: Any, *, layer: str, geometry: str) -> None:
    """Write a layer of a GeoPackage, beside those that are there, with the same bytes for the same features.

    GDAL is given a fixed time of change. Its setting is process-wide; it is put back, as other files may need the true
    time.

    Parameters
    ----------
    geometry
        Type of all geometries, as ``MultiPolygon``.

    Raises
    ------
    StorageError
        The file cannot be written; the disk may be full.
    """
    import pyogrio

    earlier = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_TIME})
    try:
        with refuse_unwritten(path):
            pyogrio.write_dataframe(
                frame, path, layer=layer, driver="GPKG", geometry_type=geometry, append=path.exists(),
                promote_to_multi=geometry.startswith("Multi"),
            )  # fmt: skip
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": earlier})


def aoi_bounds_m(path: Path, crs: str) -> tuple[float, float, float, float]:
    """Return the AOI's bounds (left, bottom, right, top) in `crs`; its edges are followed, not just its corners."""
    original = read_features(path)
    frame = original.to_crs(crs)
    if original.crs.equals(frame.crs):
        return _as_bounds(frame.total_bounds)
    dense = original.geometry.segmentize(_longest_side(original) / (EDGE_NODES - 1))
    return _as_bounds(dense.to_crs(crs).total_bounds)


def site_grid(grid: GridParams, aoi: Path) -> Grid:
    """Return the grid that all years share: the AOI's bounds in the grid's CRS, snapped outwards to whole pixels.

    Parameters
    ----------
    grid
        CRS, pixel size and origin.
    aoi
        ``data/aoi.gpkg``.

    Raises
    ------
    ParamsError
        The CRS is unknown, in degrees, web Mercator or far from the AOI; or the grid would have more than
        `GRID_PIXELS_MAX` pixels.
    InputError
        The AOI is not readable.
    """
    parse_metric_crs(grid.crs, where="params.yaml: grid.crs")
    left, bottom, right, top = bounds = aoi_bounds_m(aoi, grid.crs)
    pixels = (right - left) * (top - bottom) / grid.pixel_size_m**2
    if not pixels <= GRID_PIXELS_MAX:  # infinite, or not a number, where the AOI lies beyond the projection
        raise ParamsError(
            "the AOI does not fit the grid",
            where="params.yaml: grid",
            expected=f"at most {GRID_PIXELS_MAX:.0e} px of {grid.pixel_size_m:g} m in {grid.crs}",
            found=f"AOI bounds ({left:g}, {bottom:g}, {right:g}, {top:g})",
            fix="use the UTM zone of the AOI, and check grid.pixel_size_m",
        )
    snapped = snap_grid(bounds, crs=grid.crs, pixel_size_m=grid.pixel_size_m, origin_m=grid.origin_m)
    _check_scale(snapped)
    return snapped


def _check_scale(grid: Grid) -> None:
    centre = grid.transform @ Affine.translation(grid.width / 2, grid.height / 2)
    scale = grid.pixel_size_m**2 / 1e6 / float(pixel_area_km2(replace(grid, transform=centre, height=1, width=1))[0, 0])
    if not abs(scale - 1) <= AREAL_SCALE_ERROR_MAX:
        raise ParamsError(
            "the grid's CRS is made for another part of the Earth",
            where="params.yaml: grid.crs",
            expected=f"an areal scale within {AREAL_SCALE_ERROR_MAX:g} of 1 at the AOI",
            found=f"{scale:.3g} in {grid.crs}",
            fix="use the UTM zone of the AOI",
        )


def pixels_inside(shapes: Iterable[Any], grid: Grid) -> BoolArray:
    """Return (H, W) bool: pixels whose centre lies in any of `shapes`, which are in the grid's CRS."""
    from rasterio.features import rasterize

    burn = [(shape, 1) for shape in shapes]
    if not burn:  # rasterio refuses an empty list
        return np.zeros(grid.shape, dtype=bool)
    burnt = rasterize(burn, out_shape=grid.shape, transform=grid.transform, dtype="uint8")
    return np.asarray(burnt.view(bool))


def _longest_side(frame: Any) -> float:
    left, bottom, right, top = frame.total_bounds
    return float(max(right - left, top - bottom))


def _as_bounds(values: Any) -> tuple[float, float, float, float]:
    left, bottom, right, top = (float(value) for value in values)
    return left, bottom, right, top
