"""How scenes' pixels lie to the site's grid, and whether they are of one size."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence

from stages.common.errors import InputError
from stages.common.geo.grid import SNAP_TOLERANCE_PX, Grid
from stages.common.geo.raster import read_grid
from stages.common.params.schema import GridParams
from stages.common.scene.scene import Scene

SIZE_RATIO_MAX = 1.5
"""Largest ratio of the pixels of two scenes: products of one sensor differ by less, 10 m and 30 m by more."""

log = logging.getLogger("ingest")


def finest_grid(scene: Scene, bands: Sequence[str]) -> Grid:
    """Return the grid of the finest of these bands of a stored scene.

    Raises
    ------
    InputError
        The scene has none of them.
    """
    grids = [read_grid(band.path) for name, band in scene.bands.items() if name in bands]
    if not grids:
        raise InputError(
            "a scene has none of the bands that are to be mapped", where=f"{scene.info.year}, {scene.info.id}",
            expected=f"prepare.bands: {list(bands)}", found=list(scene.bands),
            fix="name bands of the source in prepare.bands, or give scenes that have these",
        )  # fmt: skip
    return min(grids, key=lambda grid: abs(grid.transform.a))


def check_pixels(scenes: Sequence[tuple[str, Grid]], grid: GridParams) -> None:
    """Warn of scenes whose pixels lie off the site's grid by part of a pixel, and offer the origin that fits.

    Parameters
    ----------
    scenes
        Id and grid of each scene of all years.

    Raises
    ------
    InputError
        The scenes' pixels are of different sizes.
    """
    _check_sizes(scenes)
    shifts = Counter(shift for _, place in scenes if any(shift := shift_px(place, grid)))
    for shift, count in shifts.most_common():
        first, place = next((name, place) for name, place in scenes if shift_px(place, grid) == shift)
        log.warning(
            "the pixels of %d scene(s) (%s) lie %s off the site's grid: prepare resamples them, which blurs; "
            "with grid.origin_m: %s their pixels stay as they are",
            count, first, " and ".join(_words(shift)), f"[{place.transform.c:.10g}, {place.transform.f:.10g}]",
        )  # fmt: skip


def shift_px(scene: Grid, grid: GridParams) -> tuple[float, float]:
    """Return how far the scene's pixel corners lie from the grid's, to the east and the north, within half a pixel.

    Zero where CRS or pixel size differ: such a scene has to be resampled anyhow.
    """
    size = grid.pixel_size_m
    if scene.crs != grid.crs or not math.isclose(scene.transform.a, size, rel_tol=SNAP_TOLERANCE_PX):
        return 0.0, 0.0
    x, y = grid.origin_m
    return _part((scene.transform.c - x) / size), _part((scene.transform.f - y) / size)


def _part(steps: float) -> float:
    part = steps - round(steps)
    return 0.0 if abs(part) <= SNAP_TOLERANCE_PX else round(part, 4)


def _words(shift: tuple[float, float]) -> list[str]:
    signs = (("east", "west"), ("north", "south"))
    return [f"{abs(part):.2g} px {names[part < 0]}" for part, names in zip(shift, signs, strict=True) if part]


def _check_sizes(scenes: Sequence[tuple[str, Grid]]) -> None:
    crs = Counter(grid.crs for _, grid in scenes).most_common(1)[0][0]
    sizes = {name: grid.transform.a for name, grid in scenes if grid.crs == crs}
    small, large = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
    if sizes[large] > SIZE_RATIO_MAX * sizes[small]:
        raise InputError(
            "the scenes are of sensors with different pixels, and one site cannot have both",
            where="params.yaml: ingest",
            expected="pixels of one size: an area's error is counted in pixels, and ice mapped at 10 m and at 30 m "
            "differs by more than glaciers do",
            found=f"{sizes[small]:.3g} in {small}, {sizes[large]:.3g} in {large} (units of {crs})",
            fix="make a site of each sensor; or bring all to the coarser pixels (`gdalwarp -tr <m> <m> -r average`)",
        )
