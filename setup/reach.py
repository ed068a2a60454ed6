"""The ground that the scenes of a new site show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas
import shapely
from pyproj import CRS
from rasterio.warp import transform_bounds

from setup.scenes import SceneFile
from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.vectors import EDGE_NODES
from stages.common.params.area import AreaParams

WHOLE = 0.99
"""Part of the AOI from which it counts as covered: its edge may be a pixel off."""

SAME_GROUND = 1.5
"""Sum of the areas of a year's scenes, in areas of what they cover together, beyond which they are no tiles."""


def footprint_frame(grid: Grid) -> Any:
    """Return the extent of a raster as a GeoDataFrame of one polygon, in its own CRS."""
    left, top = grid.transform.c, grid.transform.f
    right, bottom = grid.transform @ (grid.width, grid.height)
    return geopandas.GeoDataFrame(geometry=[shapely.box(left, bottom, right, top)], crs=grid.crs)


def common_reach(scenes: Sequence[SceneFile], crs: str) -> Any:
    """Return the box that every year's scenes cover, in `crs`.

    Raises
    ------
    InputError
        There is none, or the scenes of one year lie apart.
    """
    years: dict[object, list[Any]] = {}
    for scene in scenes:
        left, bottom, right, top = footprint_frame(scene.grid).total_bounds
        box = (left, bottom, right, top)
        if CRS.from_user_input(scene.grid.crs) != CRS.from_user_input(crs):
            box = transform_bounds(scene.grid.crs, crs, *box, densify_pts=EDGE_NODES)
        years.setdefault(scene.day.year if scene.day else scene.year, []).append(shapely.box(*box))
    _check_together(scenes, years)
    reach = shapely.intersection_all([shapely.union_all(boxes).envelope for boxes in years.values()])
    if reach.area == 0:
        raise InputError(
            "the scenes of different years have no ground in common",
            where="make site SCENES=",
            expected="scenes of one place",
            found=_extents(scenes),
            fix="make a site of each place",
        )
    return reach


def _check_together(scenes: Sequence[SceneFile], years: Mapping[object, Sequence[Any]]) -> None:
    """Refuse scenes of one year that do not touch: what lies between them is seen by none."""
    if apart := [year for year, boxes in years.items() if shapely.union_all(boxes).geom_type != "Polygon"]:
        raise InputError(
            f"the scenes of {apart[0]} lie apart",
            where="make site SCENES=",
            expected="scenes of one year that touch or overlap",
            found=_extents([scene for scene in scenes if (scene.day.year if scene.day else scene.year) == apart[0]]),
            fix="make a site of each place; or correct the CRS of the scene that lies elsewhere",
        )


def overlap_notes(scenes: Sequence[SceneFile]) -> list[str]:
    """Return a note for each year with scenes of the same ground: `ingest` takes the second for gaps alone."""
    boxes: dict[int | None, list[Any]] = {}
    for scene in scenes:
        extent = footprint_frame(scene.grid).to_crs("EPSG:4326").geometry.iloc[0]
        boxes.setdefault(scene.day.year if scene.day else scene.year, []).append(extent)
    return [
        f"{len(shapes)} scenes of {year} show the same ground: ingest refuses them unless each fills what the others "
        "do not see. List one a year, or give scenes cut to their own ground"
        for year, shapes in sorted(boxes.items(), key=lambda entry: entry[0] or 0)
        if sum(shape.area for shape in shapes) > SAME_GROUND * shapely.union_all(shapes).area
    ]


def cover_notes(scenes: Sequence[SceneFile], aoi: Any, crs: str) -> list[str]:
    """Return a note where the scenes of some year leave a part of the AOI, in `crs`, without data."""
    share = common_reach(scenes, crs).intersection(aoi).area / aoi.area if scenes else 1.0
    if share >= WHOLE:
        return []
    return [
        f"the scenes of all years share {100 * share:.0f} % of the AOI: ice on the rest is not mapped each year, and a "
        f"year that shows less than {100 * AreaParams().common_valid_fraction_min:.0f} % of the AOI is left out of the "
        "trend. Draw the AOI within the scenes, or give scenes of all of it"
    ]


def _extents(scenes: Sequence[SceneFile]) -> str:
    return "; ".join(
        f"{scene.path.name}: {_rounded(footprint_frame(scene.grid).total_bounds)} in {scene.grid.crs[:20]}"
        for scene in scenes[:5]
    )


def _rounded(values: Any) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
