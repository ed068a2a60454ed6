"""A year's passes, each on its own: what was acquired on one day from one orbit.

The year's own scene.tif merges them all the same, for training, scores and pictures; the map of the year is made of the
maps of its passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.params.prepare import PrepareParams
from stages.common.run.contracts import PASSES_MAX
from stages.common.run.outputs import write_json
from stages.common.tables.prepare import Pass, Passes
from stages.prepare.mosaic import Acquisition, lay_out, write_scene_cog
from stages.prepare.provenance import iso_day, share

PassKey = tuple[str | None, int | None]
"""Day and relative orbit."""


def group(acquisitions: Sequence[Acquisition]) -> dict[PassKey, list[Acquisition]]:
    """Acquisitions by pass, in the order of the year's index, which is the best first.

    Scenes whose day is not known cannot be told apart: they are tiles of one pass.
    """
    found: dict[PassKey, list[Acquisition]] = {}
    for one in acquisitions:
        found.setdefault((iso_day(one.scene), one.scene.info.relative_orbit), []).append(one)
    return found


def write_passes(
    out: Path, acquisitions: Sequence[Acquisition], grid: Grid, params: PrepareParams, *, dem: Path, year: int
) -> list[Pass]:
    """Write ``passes/<n>/scene.tif``, ``passes/<n>/valid.tif`` and passes.json; nothing where there is one pass alone.

    Raises
    ------
    InputError
        There are more passes than can be numbered.
    """
    groups = group(acquisitions)
    check_count(groups, year=year)
    if len(groups) == 1:
        return []
    found = []
    for number, ((date, orbit), tiles) in enumerate(groups.items(), start=1):
        mosaic = lay_out([one.cover for one in tiles], grid)
        folder = out / "passes" / str(number)
        folder.mkdir(parents=True)
        write_scene_cog(folder / "scene.tif", tiles, mosaic, grid, params, dem=dem)
        write_cog(folder / "valid.tif", mosaic.seen.astype(np.uint8), grid, nodata=None)
        ids = [one.scene.info.id for one in tiles]
        found.append(
            Pass(number=number, date=date, relative_orbit=orbit, scene_ids=ids, valid_fraction=share(mosaic.seen))
        )
    write_json(out / "passes.json", Passes(year=year, passes=found))
    return found


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
