"""Where a new site lies: its grid, its area of interest and its outlines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from pyproj import Transformer
from rasterio.warp import calculate_default_transform

from setup.arguments import Arguments, wrong
from setup.lines import Line
from setup.reach import common_reach, footprint_frame
from setup.scenes import SceneFile
from stages.common.errors import GlacierError, InputError
from stages.common.geo.grid import Grid, parse_metric_crs, snap_grid
from stages.common.geo.vectors import EDGE_NODES
from stages.common.params.ingest import FileParams
from stages.ingest.input_files import read_vector
from stages.ingest.vectors.outlines import RGI6_COLUMNS, load_outlines
from stages.ingest.vectors.polygons import load_aoi, only_polygons

AOI_TO_BOUNDS = 1.6
"""Area of the AOI in areas of the outlines' bounds. A model has to see ground without ice, and the gate
`aoi_to_outlines_ratio` asks for 1.5 times the outlines' area, which is less than that of their bounds."""

SIDE_MIN_PX = 640
"""Least side of an AOI that is free to grow: five blocks of 128 px leave ground to train on beside a buffer."""

CATALOGUE_PIXEL_M = 10.0
"""Pixels of Sentinel-2's finest bands, whose corners lie on whole multiples of it in every UTM zone."""

SITE_PIXELS_MAX = 2e8
"""Most pixels of a site: one Sentinel-2 tile has 1.2e8, and a run needs some 120 bytes of memory for each."""

POLAR_LATITUDE = 84.0
"""Latitude beyond which there are no UTM zones (80 in the south, where 84 still serves)."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Grid, AOI and outlines, with the reasons."""

    crs: Line
    pixel_size_m: Line
    origin_m: Line
    aoi: dict[str, Line]
    """`ingest.aoi`: bounds and CRS, or the path of a file."""
    grid: Grid
    """The grid that `ingest` will make of these."""
    outlines: Any
    """GeoDataFrame of the outlines that touch the AOI, in the grid's CRS."""
    aoi_shape: Any
    """The AOI in the grid's CRS."""

    @property
    def latitude(self) -> float:
        """Latitude of the middle, degrees."""
        left, bottom, right, top = self.grid.bounds
        to_degrees = Transformer.from_crs(self.grid.crs, "EPSG:4326", always_xy=True)
        return float(to_degrees.transform((left + right) / 2, (bottom + top) / 2)[1])


def place_of_scenes(arguments: Arguments, scenes: Sequence[SceneFile]) -> Place:
    """Return the place that scenes and outlines share.

    Raises
    ------
    InputError, ParamsError
        They share none; or the scenes have pixels of different sizes.
    """
    crs, size, origin = _grid_of_scenes(scenes)
    reach = common_reach(scenes, crs.value)
    if arguments.aoi:
        place = _place(arguments, crs, size, origin, _aoi_file(arguments.aoi))
        _check_seen(place, reach)
        return place
    near = _outlines_within(arguments, geopandas.GeoDataFrame({"name": ["scenes"]}, geometry=[reach], crs=crs.value))
    visible = near.to_crs(crs.value).geometry.intersection(reach).union_all()
    bounds = shapely.box(*_grown(visible.bounds, least_m=SIDE_MIN_PX * size.value)).intersection(reach).bounds
    inside = _snapped_inwards(bounds, size.value, origin.value)
    whole = shapely.box(*inside).area > 0.98 * reach.area
    why = f"the outlines' bounds, grown to {AOI_TO_BOUNDS:g} times their area" + (
        ", as far as the scenes reach" if whole or bounds != shapely.box(*_grown(visible.bounds)).bounds else ""
    )
    return _place(arguments, crs, size, origin, {"bounds": Line(list(inside), why), "crs": Line(crs.value)})


def place_of_catalogue(arguments: Arguments) -> Place:
    """Return the place of a glacier, or of an AOI, whose scenes are to be fetched.

    Raises
    ------
    InputError, ParamsError
        The outlines have no such glacier, or none within the AOI.
    """
    if arguments.aoi:
        aoi = load_aoi(FileParams(path=str(arguments.aoi)))
        crs = metric_crs_at(aoi)
        lines = _aoi_file(arguments.aoi)
    else:
        outline = _outline_of(arguments)
        crs = metric_crs_at(outline)
        bounds = _grown(outline.to_crs(crs.value).total_bounds, least_m=SIDE_MIN_PX * CATALOGUE_PIXEL_M)
        why = f"the glacier's bounds, grown to {AOI_TO_BOUNDS:g} times their area, and to {SIDE_MIN_PX} px at least"
        lines = {"bounds": Line(list(_snapped_outwards(bounds)), why), "crs": Line(crs.value)}
    size = Line(CATALOGUE_PIXEL_M, "Sentinel-2's finest bands")
    origin = Line([0, 0], "corners of Sentinel-2's pixels" if "326" in crs.value or "327" in crs.value else "")
    return _place(arguments, crs, size, origin, lines)


def _aoi_file(path: Path) -> dict[str, Line]:
    return {"path": Line(path, "AOI")}


def _place(arguments: Arguments, crs: Line, size: Line, origin: Line, lines: dict[str, Line]) -> Place:
    if "path" in lines:
        aoi = load_aoi(FileParams(path=str(lines["path"].value)))
    else:
        aoi = geopandas.GeoDataFrame({"name": ["aoi"]}, geometry=[shapely.box(*lines["bounds"].value)], crs=crs.value)
    outlines = _outlines_within(arguments, aoi)
    left, bottom, right, top = aoi.total_bounds
    dense = aoi.geometry.segmentize(max(right - left, top - bottom) / (EDGE_NODES - 1)).to_crs(crs.value)
    left, bottom, right, top = (float(value) for value in dense.total_bounds)
    _check_size((right - left) / size.value, (top - bottom) / size.value, size.value)
    grid = snap_grid(
        (left, bottom, right, top),
        crs=crs.value, pixel_size_m=size.value, origin_m=tuple(origin.value),
    )  # fmt: skip
    return Place(
        crs=crs, pixel_size_m=size, origin_m=origin, aoi=lines, grid=grid, outlines=outlines.to_crs(crs.value),
        aoi_shape=dense.iloc[0],
    )  # fmt: skip


def _check_size(width: float, height: float, pixel_m: float) -> None:
    if not width * height <= SITE_PIXELS_MAX:  # infinite where the AOI lies beyond the projection
        raise InputError(
            "the site is too large",
            where="make site",
            expected=f"at most {SITE_PIXELS_MAX:.0e} px, such as 14000 x 14000",
            found=f"{width:.0f} x {height:.0f} px of {pixel_m:g} m",
            fix="give a smaller AOI, or make several sites",
        )


def _check_seen(place: Place, reach: Any) -> None:
    ice = place.outlines.geometry.union_all().intersection(place.aoi_shape)
    if not ice.intersects(reach):
        raise InputError(
            "the scenes show none of the outlines within the AOI",
            where="make site SCENES= AOI=",
            expected=f"scenes of {[round(value) for value in place.grid.bounds]} in {place.crs.value}",
            found=f"every year has scenes of {[round(value) for value in reach.bounds]}",
            fix="give scenes of the AOI, or leave AOI out",
        )


def _outlines_within(arguments: Arguments, area: Any) -> Any:
    try:
        return load_outlines(FileParams(path=str(arguments.outlines)), area)
    except InputError as error:
        if error.what != "no outline touches the AOI":
            raise
        place = "the scenes" if arguments.scenes and not arguments.aoi else "the AOI"
        raise InputError(
            f"no outline lies within {place}", where=arguments.outlines, expected=error.expected, found=error.found,
            fix="give the outlines of this place, or the scenes and the AOI of the outlines' place",
        ) from error  # fmt: skip


def _outline_of(arguments: Arguments) -> Any:
    """Return the outline with the id that was asked for, in degrees."""
    frame = read_vector(arguments.outlines, None)
    column = "rgi_id" if "rgi_id" in frame.columns else RGI6_COLUMNS["rgi_id"]
    if column not in frame.columns:
        raise wrong("OUTLINES", "a column rgi_id (RGI 7.0) or RGIId (RGI 5.0, 6.0)", ", ".join(map(str, frame.columns)))
    chosen = frame[frame[column].astype(str).str.strip() == arguments.rgi_id]
    if chosen.empty:
        first = ", ".join(sorted(frame[column].astype(str))[:3])
        raise InputError(
            "the outlines have no glacier of this id",
            where=arguments.outlines,
            expected=f"{arguments.rgi_id} in the column {column}",
            found=f"{len(frame)} outlines: {first}, ...",
            fix="correct RGI_ID, or give the file of its region (the number after RGI2000-v7.0-G- or RGI60-)",
        )
    shapes = only_polygons(arguments.outlines, chosen)
    return geopandas.GeoDataFrame({"rgi_id": chosen[column]}, geometry=shapes, crs=frame.crs).to_crs("EPSG:4326")


def metric_crs_at(frame: Any) -> Line:
    """Return the UTM zone of the middle of the features, or near a pole the polar stereographic CRS."""
    west, south, east, north = frame.to_crs("EPSG:4326").total_bounds
    longitude, latitude = (west + east) / 2, (south + north) / 2
    if abs(latitude) > POLAR_LATITUDE:
        return Line("EPSG:3413" if latitude > 0 else "EPSG:3031", "polar stereographic: UTM ends before the pole")
    zone = min(int((longitude + 180) // 6) + 1, 60)
    code = (32600 if latitude >= 0 else 32700) + zone
    return Line(f"EPSG:{code}", f"UTM zone {zone} {'north' if latitude >= 0 else 'south'}, of the site's middle")


def _grid_of_scenes(scenes: Sequence[SceneFile]) -> tuple[Line, Line, Line]:
    """Return CRS, pixel size and origin."""
    first = scenes[0].grid
    sizes = {scene.path.name: _pixel_m(scene.grid) for scene in scenes}
    finest, coarsest = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
    if sizes[coarsest] > 1.5 * sizes[finest]:
        raise InputError(
            "the scenes are of sensors with different pixels, and one site cannot have both",
            where="make site SCENES=",
            expected="pixels of one size: an area's error is counted in pixels, and ice mapped at 10 m and at 30 m "
            "differs by more than glaciers do",
            found=f"{sizes[finest]:.3g} m in {finest}, {sizes[coarsest]:.3g} m in {coarsest}",
            fix="make a site of each sensor; or bring all to the coarser pixels (`gdalwarp -tr <m> <m> -r average`)",
        )
    square = math.isclose(first.transform.a, -first.transform.e, rel_tol=1e-6)
    metric = _is_metric(first)
    if metric and square:
        corner = Line(
            [first.transform.c, first.transform.f], f"a corner of {scenes[0].path.name}: pixels stay as they are"
        )
        return Line(first.crs, "the scenes' own"), Line(first.transform.a, "the scenes' own"), corner
    crs = Line(first.crs, "the scene's own") if metric else metric_crs_at(footprint_frame(scenes[0].grid))
    size = float(max(round(sizes[scenes[0].path.name]), 1))
    why = "pixels are not square there" if metric else f"the scene is in {first.crs}, in which areas have no meaning"
    return (
        replace(crs, why=f"{crs.why}; {why}"),
        Line(size, "the scene's, in whole metres"),
        Line([0, 0], "resampled anyhow"),
    )


def _is_metric(grid: Grid) -> bool:
    try:
        parse_metric_crs(grid.crs, where="make site SCENES=")
    except GlacierError:
        return False
    return True


def _pixel_m(grid: Grid) -> float:
    """Return the side of a pixel in metres on the ground, the mean of both directions."""
    across, down = abs(grid.transform.a), abs(grid.transform.e)
    if not _is_metric(grid):
        utm = metric_crs_at(footprint_frame(grid)).value
        left, top = grid.transform.c, grid.transform.f
        bounds = (left, top - grid.height * down, left + grid.width * across, top)
        transform, _, _ = calculate_default_transform(grid.crs, utm, grid.width, grid.height, *bounds)
        return float(transform.a)
    return math.sqrt(across * down)


def _grown(bounds: Any, *, least_m: float = 0.0) -> tuple[float, float, float, float]:
    """Return the bounds around the same middle, with `AOI_TO_BOUNDS` times the area and at least `least_m` a side."""
    left, bottom, right, top = (float(value) for value in bounds)
    width, height = (max(side * math.sqrt(AOI_TO_BOUNDS), least_m) for side in (right - left, top - bottom))
    x, y = (left + right) / 2, (bottom + top) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _snapped_inwards(
    bounds: Sequence[float], size: float, origin: Sequence[float]
) -> tuple[float, float, float, float]:
    left, bottom, right, top = bounds
    steps = [math.ceil, math.ceil, math.floor, math.floor]
    starts = [origin[0], origin[1], origin[0], origin[1]]
    near = 1e-6
    snapped = []
    for value, start, step in zip((left, bottom, right, top), starts, steps, strict=True):
        exact = (value - start) / size
        snapped.append(start + size * step(exact - near if step is math.ceil else exact + near))
    return snapped[0], snapped[1], snapped[2], snapped[3]


def _snapped_outwards(bounds: Sequence[float]) -> tuple[float, float, float, float]:
    left, bottom, right, top = (float(value) / CATALOGUE_PIXEL_M for value in bounds)
    sides = np.array([math.floor(left), math.floor(bottom), math.ceil(right), math.ceil(top)]) * CATALOGUE_PIXEL_M
    return float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3])
