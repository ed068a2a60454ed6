"""The stage's verb: a year's acquisitions onto the one grid, harmonised, with what was seen and where it is from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.geo.raster import gdal_env, write_cog
from stages.common.geo.vectors import pixels_inside, read_polygons, site_grid
from stages.common.params.prepare import PrepareParams
from stages.common.run.outputs import write_json
from stages.common.run.stage import Run
from stages.common.scene.scene import Scene
from stages.common.scene.store import read_scenes
from stages.common.tables.prepare import Provenance, Registration
from stages.prepare.coregister import Reference, grid_of_scene, make_reference, register
from stages.prepare.masks import cover_of
from stages.prepare.mosaic import Acquisition, lay_out, write_scene_cog
from stages.prepare.passes import write_passes
from stages.prepare.proof import prove_offset
from stages.prepare.provenance import provenance_of
from stages.prepare.radiometry import check_clipped, check_storage


def prepare(run: Run) -> None:
    """Write scene.tif, valid.tif and provenance.json of one year, and its passes where they are kept apart."""
    params = run.params.prepare
    with gdal_env():
        grid = site_grid(run.params.grid, run.path("data/aoi.gpkg"))
        scenes = read_scenes(run.path("data/scenes/{year}/index.json").parent)
        reference = _reference(run, grid) if params.coregister else None
        acquisitions = [acquire(scene, grid, params, reference) for scene in scenes]
        mosaic = lay_out([one.cover for one in acquisitions], grid)
        dem = run.path("data/auxiliary/dem.tif")
        clipped = write_scene_cog(run.out / "scene.tif", acquisitions, mosaic, grid, params, dem=dem)
        write_cog(run.out / "valid.tif", mosaic.seen.astype(np.uint8), grid, nodata=None)
        if params.passes == "separate":
            passes = write_passes(run.out, acquisitions, grid, params, dem=dem, year=int(run.year or 0))
            run.log.info("%d pass(es) kept apart", len(passes) or 1)
    check_clipped(clipped, int(mosaic.seen.sum()) * len(params.imagery_bands), scene_ids=_ids(scenes))
    provenance = provenance_of(acquisitions, mosaic, grid, params, year=int(run.year or 0), clipped=clipped)
    write_json(run.out / "provenance.json", provenance)
    _report(run, provenance)


def acquire(scene: Scene, grid: Grid, params: PrepareParams, reference: Reference | None) -> Acquisition:
    """A scene with what it shows of the grid, its radiometry proved and its shift measured."""
    check_storage(scene, params.imagery_bands, params.storage)
    proof = prove_offset(scene) if params.storage == "sentinel2" else None
    registration = register(scene, reference, grid, params) if reference else None
    place = grid_of_scene(grid, registration)
    return Acquisition(
        scene=scene, grid=place, cover=cover_of(scene, place, params), proof=proof, registration=registration
    )


def _reference(run: Run, grid: Grid) -> Reference:
    scenes = read_scenes(run.path("data/scenes/{reference_year}/index.json").parent)
    for scene in scenes:
        check_storage(scene, run.params.prepare.imagery_bands, run.params.prepare.storage)
    glacier = pixels_inside(read_polygons(run.path("data/outlines.gpkg"), grid.crs).geometry, grid)
    return make_reference(scenes, glacier, grid, run.params.prepare)


def _ids(scenes: Sequence[Scene]) -> str:
    return ", ".join(scene.info.id for scene in scenes)


def _report(run: Run, found: Provenance) -> None:
    run.log.info("%s; %.1f %% seen, %.1f %% cloud", found.grid, 100 * found.valid_fraction, 100 * found.cloud_fraction)
    for source in found.sources:
        if source.offset_proof:
            run.log.info("%s: offset %s (%s)", source.id, source.offset_proof.verdict, source.offset_proof.method)
        if source.registration:
            _report_shift(run, source.id, source.registration)
    if found.clipped_pixels:
        run.log.warning("%d values lie beyond what the storage holds and were clipped", found.clipped_pixels)


def _report_shift(run: Run, scene_id: str, found: Registration) -> None:
    match found.verdict:
        case "too large":
            run.log.warning(
                "%s lies %s px east and %s px south of the reference, beyond max_shift_px: not corrected",
                scene_id, found.east_px, found.south_px,
            )  # fmt: skip
        case "unknown":
            run.log.warning("%s: no shift can be measured (%s tiles of stable terrain)", scene_id, found.tiles)
        case "reference":
            run.log.info("%s is the reference that other scenes are laid on", scene_id)
        case _:
            run.log.info("%s: shift %s, %s px left", scene_id, found.verdict, found.residual_px)
