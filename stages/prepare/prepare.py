"""Put a year's acquisitions on the one grid, with what was observed and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from stages.common.geo.classes import SEEN
from stages.common.geo.grid import Grid
from stages.common.geo.raster import gdal_env, write_cog
from stages.common.geo.vectors import pixels_inside, read_polygons, site_grid
from stages.common.machine import give_back_memory
from stages.common.params.prepare import CoregisterParams, PrepareParams
from stages.common.run.outputs import write_json
from stages.common.run.stage import Run
from stages.common.scene.store import read_scenes
from stages.common.tables.prepare import OffsetProof, Provenance, Registration
from stages.prepare.coregister import Reference, grid_of_scene, make_reference, measure_shift
from stages.prepare.masks import scene_masks
from stages.prepare.mosaic import PlacedScene, assign_pixels, write_scene_cog
from stages.prepare.offset import REASONS, check_offset
from stages.prepare.passes import write_passes
from stages.prepare.provenance import provenance_of
from stages.prepare.radiometry import check_clipped, check_storage
from stages.prepare.scene_pixels import ScenePixels
from stages.prepare.terrain import terrain_bands

SCENES, REFERENCE_SCENES = "data/scenes/{year}/index.json", "data/scenes/{reference_year}/index.json"

OFFSET_FINDING = {"proven": "correct", "plausible": "plausible", "not proven": "not decided by the pixels"}
OFFSET_PLACE = {
    "snow in SWIR": "snow",
    "snow by colour": "bright pixels that are dark in the infrared",
    "visible floor": "the darkest visible pixels",
    "dark pixels": "the darkest red and infrared pixels",
    None: "no band",
}
"""Words of the log on the check of the offset, by verdict and method."""


def prepare(run: Run) -> None:
    """Write scene.tif, valid.tif and provenance.json of one year, and its passes where they are kept apart."""
    params, year = run.params.prepare, int(run.year or 0)
    with gdal_env():
        grid = site_grid(run.params.grid, run.path("data/aoi.gpkg"))
        placed = _place_all(run, grid)
        terrain = terrain_bands(params.bands, run.path("data/auxiliary/dem.tif"), grid, scratch=run.out)
        mosaic = assign_pixels([scene.masks for scene in placed], grid)
        give_back_memory()
        clipped = write_scene_cog(run.out / "scene.tif", placed, mosaic, grid, params, terrain=terrain)
        write_cog(run.out / "valid.tif", mosaic.observed, grid, nodata=None, classes=SEEN)
        if params.passes == "separate":
            passes = write_passes(run.out, placed, grid, params, terrain=terrain, year=year)
            run.log.info("%d pass(es) kept apart", len(passes) or 1)
    ids = ", ".join(scene.info.id for scene in placed)
    check_clipped(clipped, mosaic.observed.sum() * len(params.imagery_bands), scene_ids=ids)
    provenance = provenance_of(placed, mosaic, grid, params, year=year, clipped=clipped)
    write_json(run.out / "provenance.json", provenance)
    _report(run, provenance)


def _place_all(run: Run, grid: Grid) -> list[PlacedScene]:
    params = run.params.prepare
    scenes = _scenes(run, SCENES)
    reference = _reference(run, params.coregister, scenes, grid) if params.coregister else None
    return [place(scene, grid, params, reference) for scene in scenes]


def place(pixels: ScenePixels, grid: Grid, params: PrepareParams, reference: Reference | None) -> PlacedScene:
    """Check a scene's offset, measure its shift, and return it with the pixels it shows of the grid."""
    proof = check_offset(pixels) if params.storage == "sentinel2" else None
    masks = scene_masks(pixels, grid, params.imagery_bands)
    registration, scene_grid = None, grid
    if reference and params.coregister:
        registration = measure_shift(pixels, masks, reference, grid, params.coregister)
        give_back_memory()
        scene_grid = grid_of_scene(grid, registration)
    if scene_grid != grid:
        del masks  # before the others are made
        masks = scene_masks(pixels, scene_grid, params.imagery_bands)
    return PlacedScene(pixels=pixels, grid=scene_grid, masks=masks, proof=proof, registration=registration)


def _scenes(run: Run, index: str) -> list[ScenePixels]:
    params = run.params.prepare
    scenes = read_scenes(run.path(index).parent)
    for scene in scenes:
        check_storage(scene, params.imagery_bands, params.storage)
    return [ScenePixels(scene, params, run.out) for scene in scenes]


def _reference(run: Run, how: CoregisterParams, scenes: Sequence[ScenePixels], grid: Grid) -> Reference:
    """Return the reference; `scenes` are the year's own, which the reference year need not read again."""
    is_reference_year = run.path(SCENES) == run.path(REFERENCE_SCENES)
    glacier = pixels_inside(read_polygons(run.path("data/outlines.gpkg"), grid.crs).geometry, grid)
    reference = make_reference(
        scenes if is_reference_year else _scenes(run, REFERENCE_SCENES), glacier, grid, how, scratch=run.out
    )
    give_back_memory()
    return reference


def _report(run: Run, provenance: Provenance) -> None:
    observed, cloud = 100 * provenance.valid_fraction, 100 * provenance.cloud_fraction
    run.log.info("%s; %.1f %% observed, %.1f %% cloud", provenance.grid, observed, cloud)
    for source in provenance.sources:
        if source.offset_proof:
            _report_offset(run, source.id, source.offset_proof)
        if source.registration:
            _report_shift(run, source.id, source.registration)
    if provenance.clipped_pixels:
        run.log.warning("%d values are beyond what the storage holds and were clipped", provenance.clipped_pixels)


def _report_offset(run: Run, scene_id: str, proof: OffsetProof) -> None:
    if proof.verdict in REASONS:
        run.log.warning(
            "%s: %s; it is taken all the same, as prepare.trusted_offsets names it", scene_id, REASONS[proof.verdict]
        )
        return
    place, finding = OFFSET_PLACE[proof.method], OFFSET_FINDING[proof.verdict]
    run.log.info("%s: reflectance offset checked on %s: %s", scene_id, place, finding)


def _report_shift(run: Run, scene_id: str, shift: Registration) -> None:
    match shift.verdict:
        case "too large":
            run.log.warning(
                "%s lies %s px east and %s px south of the reference, more than max_shift_px: it is not corrected",
                scene_id, shift.east_px, shift.south_px,
            )  # fmt: skip
        case "unknown":
            run.log.warning("%s: no shift can be measured (%s tiles of stable terrain)", scene_id, shift.tiles)
        case "reference":
            run.log.info("%s is the reference that other scenes are laid on", scene_id)
        case _:
            run.log.info("%s: shift %s, %s px left", scene_id, shift.verdict, shift.residual_px)
