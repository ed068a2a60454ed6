"""Whether the cloud masks that a user gives leave anything of the glaciers to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.raster import pixels_with_data, read_band, read_grid
from stages.common.geo.resample import resample_nearest
from stages.common.geo.vectors import pixels_inside
from stages.common.params.schema import Params
from stages.common.scene.scene import Scene
from stages.common.types import BoolArray
from stages.ingest.region import Region


def check_masks_show_glaciers(params: Params, region: Region, outlines: Any, scenes: Sequence[Scene]) -> None:
    """Refuse a year whose cloud masks hide more of the outlines than `ingest.choice.unseen_max`.

    A mask of clear pixels, or a quality band in which snow has a number, hides the ice and shows the clouds.

    Raises
    ------
    InputError
        They do.
    """
    glacier = pixels_inside(outlines.to_crs(region.grid.crs).geometry, region.grid)
    for year in params.years:
        masked = [scene for scene in scenes if scene.info.year == year and scene.cloud_mask]
        clear = [scene for scene in scenes if scene.info.year == year and not scene.cloud_mask]
        if not masked or clear:
            continue
        covered, visible = np.zeros_like(glacier), np.zeros_like(glacier)
        for scene in masked:
            scene_covers, scene_shows = _seen(scene, params.prepare.imagery_bands[0], region)
            covered |= scene_covers & glacier
            visible |= scene_shows & glacier
        hidden = 1 - visible.sum() / covered.sum() if covered.any() else 0.0
        if hidden > params.ingest.choice.unseen_max:
            raise _hidden(year, hidden, params.ingest.choice.unseen_max, masked)


def _seen(scene: Scene, name: str, region: Region) -> tuple[BoolArray, BoolArray]:
    """Return where a scene has data, and where its cloud mask shows the ground, (H, W) on the site's grid."""
    band, mask = scene.bands[name], scene.cloud_mask
    has_data = pixels_with_data(read_band(band.path), band.nodata).astype(np.uint8)
    covers = resample_nearest(has_data, read_grid(band.path), region.grid, outside=0) == 1
    if mask is None:
        return covers, covers
    cloud = resample_nearest(read_band(mask), read_grid(mask), region.grid, outside=1)
    return covers, covers & (cloud == 0)


def _hidden(year: int, hidden: float, unseen_max: float, scenes: Sequence[Scene]) -> InputError:
    return InputError(
        f"the cloud masks of {year} hide the glaciers",
        where=", ".join(scene.info.id for scene in scenes),
        expected=f"at most {100 * unseen_max:g} % of the outlines with data under cloud (ingest.choice.unseen_max)",
        found=f"{100 * hidden:.1f} %",
        fix="a mask is 0 where the ground is seen: turn one of clear pixels round (`gdal_calc.py -A <file> "
        '--outfile=<mask> --calc="A==0"`), and take no quality band that numbers snow; or raise unseen_max',
    )
