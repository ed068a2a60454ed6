"""The elevation model that a new site names, looked at as `ingest` will."""

from __future__ import annotations

import geopandas

from setup.arguments import Arguments
from setup.place import Place
from stages.common.errors import InputError
from stages.ingest.elevation import clip_dem
from stages.ingest.region import OutsideError, Region


def check_dem(arguments: Arguments, place: Place) -> None:
    """Refuse an elevation model that `ingest` would refuse.

    Raises
    ------
    InputError
        It cannot be read, lies elsewhere, or holds no elevations.
    """
    if arguments.dem:
        aoi = geopandas.GeoDataFrame({"name": ["aoi"]}, geometry=[place.aoi_shape], crs=place.grid.crs)
        try:
            clip_dem(arguments.dem, Region(grid=place.grid, aoi=aoi))
        except OutsideError as error:
            raise InputError(
                "the DEM lies elsewhere", where=arguments.dem, expected=error.expected, found=error.found,
                fix="give the DEM of this place, or leave DEM out",
            ) from error  # fmt: skip
