"""Optional inputs: elevation, debris cover and flow lines, and the manifest that lists which of them exist."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from stages.common.geo.raster import write_cog
from stages.common.geo.vectors import write_lines, write_polygons
from stages.common.params.ingest import FileParams
from stages.common.params.schema import Params
from stages.common.run.outputs import write_json
from stages.common.scene.scene import Layer
from stages.common.tables.data import AuxiliaryManifest
from stages.ingest.contract import DATA
from stages.ingest.elevation import clip_dem
from stages.ingest.input_files import read_vector, resolve_path
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Supply
from stages.ingest.vectors.flow_lines import load_flow_lines
from stages.ingest.vectors.outlines import OUTLINES_CRS
from stages.ingest.vectors.polygons import near_aoi, only_polygons

log = logging.getLogger("ingest")

REVIEW_FILES = ("review.yaml", "review.gpkg")
"""What a person decided on the maps (`make review`): no source has it, so it stays when all else is fetched again."""


def write_auxiliary(params: Params, supply: Supply, region: Region, folder: Path) -> None:
    """Write the optional inputs that the site has, and ``manifest.json``.

    Raises
    ------
    InputError
        A file cannot be used; the DEM does not reach the AOI.
    """
    folder.mkdir()
    debris, flow_lines = params.ingest.auxiliary.debris, params.ingest.auxiliary.flow_lines
    dem = _dem(params, supply, region)
    if dem is not None:
        write_cog(folder / "dem.tif", dem.pixels, dem.grid, nodata=dem.nodata)
    if debris is not None:
        write_polygons(folder / "debris.gpkg", load_debris(debris, region), layer="debris")
    if flow_lines is not None:
        write_lines(folder / "flow_lines.gpkg", load_flow_lines(flow_lines, region), layer="flow_lines")
    manifest = AuxiliaryManifest(
        dem="dem.tif" if dem is not None else None,
        debris="debris.gpkg" if debris is not None else None,
        flow_lines="flow_lines.gpkg" if flow_lines is not None else None,
    )
    write_json(folder / "manifest.json", manifest)
    for path in (DATA / "auxiliary" / name for name in REVIEW_FILES):
        if path.exists():
            shutil.copyfile(path, folder / path.name)
            log.info("%s stays as it is", path)


def _dem(params: Params, supply: Supply, region: Region) -> Layer | None:
    path = params.ingest.auxiliary.dem
    if path is not None:
        return clip_dem(resolve_path(path, where="ingest.auxiliary.dem"), region)
    return supply.dem(params, region) if supply.dem else None


def load_debris(params: FileParams, region: Region) -> Any:
    """Return the whole polygons of debris cover that touch the AOI, in EPSG:4326 and without attributes.

    Raises
    ------
    InputError
        The file cannot be read, is empty, has no CRS, or holds other shapes than polygons.
    """
    import geopandas

    path = resolve_path(params.path, where="ingest.auxiliary.debris.path")
    frame = read_vector(path, params.layer)
    near = near_aoi(path, frame, region.aoi)
    debris = geopandas.GeoDataFrame(geometry=only_polygons(path, near), crs=frame.crs)
    in_aoi = debris[debris.intersects(region.aoi.to_crs(frame.crs).union_all())].to_crs(OUTLINES_CRS)
    if in_aoi.empty:
        log.warning("%s: none of the %d polygons of debris touches the AOI", path, len(frame))
    return in_aoi.reset_index(drop=True)
