"""A year's passes, each on its own: what was acquired in one overpass.

The year's own scene.tif merges them all the same, for training, scores and pictures; the map of the year is made of the
maps of its passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.common.errors import InputError
from stages.common.geo.classes import SEEN
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.params.prepare import PrepareParams
from stages.common.run.contracts import PASSES_MAX
from stages.common.run.outputs import write_json
from stages.common.scene.overpass import overpasses
from stages.common.tables.prepare import Pass, Passes
from stages.common.types import Rows
from stages.prepare.mosaic import PlacedScene, assign_pixels, write_scene_cog
from stages.prepare.provenance import grid_fraction

PassKey = tuple[str | None, int | None]
"""Day and relative orbit."""


def group_by_pass(scenes: Sequence[PlacedScene]) -> dict[PassKey, list[PlacedScene]]:
    """Return the scenes of each pass, in the order of the year's index, which is the best first.

    Scenes whose day is unknown cannot be told apart: they are tiles of one pass.
    """
    passes: dict[PassKey, list[PlacedScene]] = {}
    for scene, (day, orbit) in zip(scenes, overpasses([scene.info for scene in scenes]), strict=True):
        passes.setdefault((day.isoformat() if day else None, orbit), []).append(scene)
    return passes


def write_passes(
    out: Path,
    scenes: Sequence[PlacedScene],
    grid: Grid,
    params: PrepareParams,
    *,
    terrain: Mapping[str, Rows],
    year: int,
) -> list[Pass]:
    """Write ``passes/<n>/scene.tif``, ``passes/<n>/valid.tif`` and passes.json; nothing where there is only one pass.

    Raises
    ------
    InputError
        There are more passes than can be numbered.
    """
    groups = group_by_pass(scenes)
    check_count(groups, year=year)
    if len(groups) == 1:
        return []
    passes = []
    for number, ((date, orbit), tiles) in enumerate(groups.items(), start=1):
        mosaic = assign_pixels([tile.masks for tile in tiles], grid)
        folder = out / "passes" / str(number)
        folder.mkdir(parents=True)
        write_scene_cog(folder / "scene.tif", tiles, mosaic, grid, params, terrain=terrain)
        write_cog(folder / "valid.tif", mosaic.observed, grid, nodata=None, classes=SEEN)
        ids, fraction = [tile.info.id for tile in tiles], grid_fraction(mosaic.observed)
        passes.append(Pass(number=number, date=date, relative_orbit=orbit, scene_ids=ids, valid_fraction=fraction))
    write_json(out / "passes.json", Passes(year=year, passes=passes))
    return passes


def check_count(groups: Mapping[PassKey, object], *, year: int) -> None:
    """Refuse a year of more passes than contracts have numbers for.

    Raises
    ------
    InputError
        There are more.
    """
    if len(groups) > PASSES_MAX:
        raise InputError(
            "a year has too many passes to keep them apart",
            where=f"{year}, data/scenes/{year}/index.json",
            expected=f"at most {PASSES_MAX}",
            found=len(groups),
            fix="lower ingest.choice.scenes_per_year, list fewer scenes, or set prepare.passes to merge",
        )
