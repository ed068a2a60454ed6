"""Pooled scores of parts of the held-out pixels: by surface, and by size of glacier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips
from stages.common.tables.evaluate import Scores, SliceRow
from stages.common.types import Rows
from stages.evaluate.boundaries import Boundaries
from stages.evaluate.planes import ROWS_AT_ONCE, made
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import cells_by_zone, ratio, scores_of, zone_of

SIZE_BOUNDS_KM2 = (0.5, 1.0, 5.0, 10.0)
"""Bounds of the size classes of inventories (Paul et al. 2009, Ann. Glaciol. 50(53); Pfeffer et al. 2014)."""

SIZE_CLASSES = ("< 0.5 km2", "0.5-1 km2", "1-5 km2", "5-10 km2", "> 10 km2")

SURFACES = ("clean", "debris")


def slice_rows(
    scene: LabelledScene, mapped: Bits, region: Bits, *, nearest: Rows, boundaries: Boundaries
) -> list[SliceRow]:
    """Return the scores of all held-out pixels, of each surface, and of each size class that occurs.

    Parameters
    ----------
    mapped, region
        (H, W): mapped ice, and which pixels are held out.
    nearest, boundaries
        The glacier nearest to each pixel of the region that is mapped or labelled, and the boundaries within it.
    """
    size = size_zones(scene, nearest)
    whole = _scored(scene, mapped, zone_of(region), "all", ["all"], boundaries=boundaries)
    sizes = _scored(scene, mapped, size, "size", SIZE_CLASSES, boundaries=boundaries)
    return [*whole, *surface_recall_rows(scene, mapped, region), *sizes]


def size_zones(scene: LabelledScene, nearest: Rows) -> Rows:
    """Return (H, W) size class of the `nearest` glacier, by its whole outline; -1 where there is none."""
    areas = np.zeros(scene.numbers)
    for glacier in scene.glaciers:
        if glacier.glacier_index < len(areas):
            areas[glacier.glacier_index] = glacier.geodesic_area_km2
    classes = np.digitize(areas, SIZE_BOUNDS_KM2).astype(np.int8)
    classes[0] = -1
    return made(nearest, np.int8, lambda rows: classes[nearest[rows]])


def surface_recall_rows(scene: LabelledScene, mapped: Bits, region: Bits) -> list[SliceRow]:
    """Return the recall of clean and of debris-covered ice; no row where the two cannot be told apart.

    There is no precision: what is mapped beside the outlines belongs to neither.
    """
    if (debris := scene.debris) is None:
        return []
    labelled = region & scene.truth
    zone = made(region, np.int8, lambda rows: np.where(labelled[rows], debris[rows].view(np.int8), np.int8(-1)))
    cells, glaciers = cells_by_zone(mapped, scene.truth, zone, scene.area_km2, count=2), _glaciers(scene, zone, 2)
    return [
        SliceRow(
            slice="surface",
            group=name,
            n_glaciers=glaciers[index],
            labelled_km2=round(float(cells.km2[index].sum()), 6),
            recall=_rounded(ratio(cells.pixels[index][3], cells.pixels[index].sum()), 6),
        )
        for index, name in enumerate(SURFACES)
    ]


def _scored(
    scene: LabelledScene, mapped: Bits, zone: Rows, kind: str, names: Sequence[str], *, boundaries: Boundaries
) -> list[SliceRow]:
    count = len(names)
    cells = cells_by_zone(mapped, scene.truth, zone, scene.area_km2, count=count)
    scores = scores_of(cells, mapped, scene.truth, zone, scene.grid.pixel_size_m, boundaries=boundaries)
    glaciers = _glaciers(scene, zone, count)
    return [
        _row(scores[i], kind, name, n_glaciers=glaciers[i], labelled_km2=float(cells.km2[i, 2:].sum()))
        for i, name in enumerate(names)
        if cells.pixels[i].any()
    ]


def _glaciers(scene: LabelledScene, zone: Rows, count: int) -> list[int]:
    """Return how many glaciers have a pixel in each zone."""
    seen = np.zeros((count, scene.numbers), dtype=bool)
    for rows in strips(zone.shape[0], ROWS_AT_ONCE):
        zones, ids = zone[rows], scene.glacier_id[rows]
        labelled = (zones >= 0) & (ids > 0)
        seen[zones[labelled], ids[labelled]] = True
    return [int(number) for number in seen.sum(axis=1)]


def _row(scores: Scores, kind: str, name: str, *, n_glaciers: int, labelled_km2: float) -> SliceRow:
    digits = {"area_bias_pct": 4, "boundary_distance_m": 2}
    values = {key: _rounded(value, digits.get(key, 6)) for key, value in scores.model_dump().items()}
    return SliceRow.model_validate(
        {"slice": kind, "group": name, "n_glaciers": n_glaciers, "labelled_km2": round(labelled_km2, 6), **values}
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
