"""Write a source's scenes, the outlines and the AOI into ``data/``, whole or not at all."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely
from tqdm import tqdm

from stages.common.errors import InputError, ParamsError
from stages.common.geo.vectors import site_grid, write_polygons
from stages.common.params.ingest import FileParams
from stages.common.params.schema import Params, load_params
from stages.common.run.contracts import check_files
from stages.common.run.outputs import atomic_folder, write_json, write_table
from stages.common.run.site_lock import site_lock
from stages.common.run.stage import run_command_line
from stages.common.scene.scene import Layer, Scene
from stages.common.scene.stac import footprint, write_catalog
from stages.common.scene.store import write_index, write_scene
from stages.common.tables.data import SceneChoiceRow
from stages.common.tables.truth import Truth
from stages.ingest.alignment import check_pixels, finest_grid
from stages.ingest.auxiliary import write_auxiliary
from stages.ingest.choice.screening import reason_of
from stages.ingest.choice.select import TABLE, select_acquisitions
from stages.ingest.contract import CONTRACT, DATA
from stages.ingest.counting import counted
from stages.ingest.pin import PIN, write_pin
from stages.ingest.region import Region, require_one_side
from stages.ingest.seen import check_masks_show_glaciers
from stages.ingest.series import check_offset_steps, check_one_level, check_year
from stages.ingest.sources.acquisition import Acquisition, GoneError, Supply
from stages.ingest.sources.choose import LISTED_SOURCES, source_for
from stages.ingest.sources.stac.cache import remove_read_cache
from stages.ingest.vectors.outlines import load_outlines, touching
from stages.ingest.vectors.polygons import load_aoi

log = logging.getLogger("ingest")


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line in a site's folder, and return the exit code (`stages.common.run.stage`)."""
    return run_command_line(CONTRACT, site_lock("ingest")(lambda _, log: ingest(load_params(), log)), argv)


def ingest(params: Params, log: logging.Logger) -> None:
    """Write ``data/`` and ``data.dvc`` in the working directory; on an error both stay as they were."""
    supply = source_for(params)
    with atomic_folder(DATA) as out:
        region, outlines = _write_vectors(params, supply, out)
        acquisitions = list(supply.acquisitions(params, region))  # all headers are checked before any pixel is read
        scenes, rows = choose_and_store(params, region, outlines, acquisitions, out / "scenes")
        write_table(out / TABLE, rows, SceneChoiceRow)
        _check_scenes(params, scenes, outlines)
        if params.ingest.source in LISTED_SOURCES:
            check_masks_show_glaciers(params, region, outlines, scenes)
        write_auxiliary(params, supply, region, out / "auxiliary")
        (supply.truth or _no_truth)(params, region, out / "truth")
        write_catalog(out, scenes, name=params.site.name, title=params.site.title)
        check_files(CONTRACT.outputs, out, params, None)
    remove_read_cache()
    changed = write_pin(params.years)
    log.info(
        "%s of %s, %s",
        counted(len(scenes), "scene"), counted(len(params.years), "year"), counted(len(outlines), "outline"),
    )  # fmt: skip
    log.info(
        "%s %s; `make ingest` records the data next (after this stage by itself: `dvc commit -f %s`)",
        PIN,
        "has a new list of outputs" if changed else "lists the same outputs",
        PIN,
    )


def _write_vectors(params: Params, supply: Supply, out: Path) -> tuple[Region, Any]:
    aoi = load_aoi(params.ingest.aoi)
    write_polygons(out / "aoi.gpkg", aoi, layer="aoi")
    region = Region(grid=site_grid(params.grid, out / "aoi.gpkg"), aoi=aoi)
    require_one_side(region.grid)
    if supply.outlines:
        outlines = touching(supply.outlines(params, region), aoi, where="params.yaml: ingest.aoi")
    else:
        outlines = load_outlines(_outlines_file(params), aoi)
    write_polygons(out / "outlines.gpkg", outlines, layer="outlines")
    return region, outlines


def choose_and_store(
    params: Params, region: Region, outlines: Any, acquisitions: Sequence[Acquisition], folder: Path
) -> tuple[list[Scene], list[SceneChoiceRow]]:
    """Choose the acquisitions and store them; return the stored scenes by year and a table row per acquisition.

    The choice looks at a few layers alone. Where another layer of a chosen scene is absent or broken, the scene is
    ruled out, and the choice is made again. Scenes that params.yaml lists have nothing in their place.

    Raises
    ------
    InputError
        A year has no valid scene that can be read (`select_acquisitions`).
    """
    while True:
        taken, rows = select_acquisitions(params, region, outlines, acquisitions)
        try:
            return store_scenes(folder, taken), rows
        except GoneError as error:
            if params.ingest.source in LISTED_SOURCES or not error.scene_id:
                raise
            reason = reason_of(error)
            log.warning("%s is ruled out, and the next best taken: %s", error.scene_id, reason)
            acquisitions = [
                replace(acquisition, unfit=reason) if acquisition.info.id == error.scene_id else acquisition
                for acquisition in acquisitions
            ]
            shutil.rmtree(folder)


def store_scenes(folder: Path, acquisitions: Sequence[Acquisition]) -> list[Scene]:
    """Write acquisitions to ``<folder>/<year>/``, each year with its index, and return the stored scenes by year."""
    years: dict[int, list[Scene]] = {}
    layer_count = sum(acquisition.layer_count for acquisition in acquisitions)
    with tqdm(total=layer_count, unit="band", disable=None) as bar:
        for acquisition in acquisitions:
            info = acquisition.info
            bar.set_description(info.id)
            try:
                scene = write_scene(folder / str(info.year), info, _with_progress(acquisition, bar))
            except GoneError as error:
                error.scene_id = info.id
                raise
            years.setdefault(info.year, []).append(scene)
    for year, scenes in years.items():
        write_index(folder / str(year), year, scenes)
    return [scene for _, scenes in sorted(years.items()) for scene in scenes]


def _with_progress(acquisition: Acquisition, bar: Any) -> Iterator[Layer]:
    for layer in acquisition.layers():
        yield layer
        bar.set_postfix_str(f"{layer.name}, {layer.pixels.nbytes / 1e6:.1f} MB")
        bar.update()


def _check_scenes(params: Params, scenes: Sequence[Scene], outlines: Any) -> None:
    check_one_level(scenes)
    for year in params.years:
        check_year([scene for scene in scenes if scene.info.year == year], params.prepare)
    check_offset_steps(scenes, params.prepare)
    bands = params.prepare.imagery_bands
    check_pixels([(scene.info.id, finest_grid(scene, bands)) for scene in scenes], params.grid)
    covered = shapely.union_all([footprint([band.path for band in scene.bands.values()]) for scene in scenes])
    if not outlines.intersects(covered).any():
        raise InputError(
            "no outline lies within a scene",
            where="params.yaml: ingest.outlines",
            expected=f"outlines within {[round(value, 4) for value in covered.bounds]} degrees",
            found=f"outlines within {outlines.total_bounds.round(4).tolist()} degrees",
            fix="give scenes that show the glaciers, or the outlines of this place",
        )


def _outlines_file(params: Params) -> FileParams:
    if params.ingest.outlines is None:
        raise ParamsError(
            "params.yaml names no outlines",
            where="params.yaml: ingest.outlines",
            expected="path: a GeoPackage, Shapefile or GeoJSON of RGI 6 or 7",
            found="nothing",
            fix="see docs/data.md; only the source twin makes its own outlines",
        )
    return params.ingest.outlines


def _no_truth(_params: Params, _region: Region, folder: Path) -> None:
    folder.mkdir()
    write_json(folder / "truth.json", Truth(simulated=False, years=[]))
