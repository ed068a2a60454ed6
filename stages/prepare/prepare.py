"""The stage's verb: a year's acquisitions onto the one grid, harmonised, with what was seen and where it is from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.grid import Grid
from stages.common.outputs import write_json
from stages.common.params import PrepareParams
from stages.common.raster import gdal_env, write_cog
from stages.common.scenes import Scene, read_scenes
from stages.common.stage import Run
from stages.common.tables import Provenance
from stages.common.vectors import site_grid
from stages.prepare.masks import cover_of
from stages.prepare.mosaic import Acquisition, lay_out, write_scene_cog
from stages.prepare.proof import prove_offset
from stages.prepare.provenance import provenance_of
from stages.prepare.radiometry import check_clipped, check_storage


def prepare(run: Run) -> None:
    """Write scene.tif, valid.tif and provenance.json of one year."""
    params = run.params.prepare
    with gdal_env():
        grid = site_grid(run.params.grid, run.path("data/aoi.gpkg"))
        scenes = read_scenes(run.path("data/scenes/{year}/index.json").parent)
        acquisitions = [acquire(scene, grid, params) for scene in scenes]
        mosaic = lay_out([one.cover for one in acquisitions], grid)
        clipped = write_scene_cog(run.out / "scene.tif", acquisitions, mosaic, grid, params)
        write_cog(run.out / "valid.tif", mosaic.seen.astype(np.uint8), grid, nodata=None)
    check_clipped(clipped, int(mosaic.seen.sum()) * len(params.imagery_bands), scene_ids=_ids(scenes))
    provenance = provenance_of(acquisitions, mosaic, grid, params, year=int(run.year or 0), clipped=clipped)
    write_json(run.out / "provenance.json", provenance)
    _report(run, provenance)


def acquire(scene: Scene, grid: Grid, params: PrepareParams) -> Acquisition:
    """A scene with what it shows of the grid, its radiometry proved."""
    check_storage(scene, params.imagery_bands, params.storage)
    proof = prove_offset(scene) if params.storage == "sentinel2" else None
    return Acquisition(scene=scene, grid=grid, cover=cover_of(scene, grid, params), proof=proof)


def _ids(scenes: Sequence[Scene]) -> str:
    return ", ".join(scene.info.id for scene in scenes)


def _report(run: Run, found: Provenance) -> None:
    run.log.info("%s; %.1f %% seen, %.1f %% cloud", found.grid, 100 * found.valid_fraction, 100 * found.cloud_fraction)
    for source in found.sources:
        if source.offset_proof:
            run.log.info("%s: offset %s (%s)", source.id, source.offset_proof.verdict, source.offset_proof.method)
    if found.clipped_pixels:
        run.log.warning("%d values lie beyond what the storage holds and were clipped", found.clipped_pixels)
