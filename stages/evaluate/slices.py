"""Pooled scores of parts of the held-out pixels: by surface, and by size of glacier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.common.tables.evaluate import Scores, SliceRow
from stages.common.types import BoolArray, IntArray
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import confusion_by_zone, ratio, score_zones, zone_of

SIZE_BOUNDS_KM2 = (0.5, 1.0, 5.0, 10.0)
"""Bounds of the size classes of inventories (Paul et al. 2009, Ann. Glaciol. 50(53); Pfeffer et al. 2014)."""

SIZE_CLASSES = ("< 0.5 km2", "0.5-1 km2", "1-5 km2", "5-10 km2", "> 10 km2")

SURFACES = ("clean", "debris")


def slice_rows(scene: LabelledScene, mapped: BoolArray, region: BoolArray) -> list[SliceRow]:
    """Return the scores of all held-out pixels, of each surface, and of each size class that occurs.

    Parameters
    ----------
    mapped, region
        (H, W): mapped ice, and which pixels are held out.
    """
    whole = _scored(scene, mapped, zone_of(region), "all", ["all"])
    sizes = _scored(scene, mapped, size_zones(scene, region), "size", SIZE_CLASSES)
    return [*whole, *surface_recall_rows(scene, mapped, region), *sizes]


def size_zones(scene: LabelledScene, region: BoolArray) -> IntArray:
    """Return (H, W) size class of the glacier nearest to each pixel of `region`, by its whole outline; -1 elsewhere."""
    areas = np.zeros(int(scene.glacier_id.max()) + 1)
    for glacier in scene.glaciers:
        if glacier.glacier_index < len(areas):
            areas[glacier.glacier_index] = glacier.geodesic_area_km2
    classes = np.digitize(areas, SIZE_BOUNDS_KM2)
    return np.asarray(np.where(region, classes.astype(np.int8)[scene.nearest_glacier], np.int8(-1)))


def surface_recall_rows(scene: LabelledScene, mapped: BoolArray, region: BoolArray) -> list[SliceRow]:
    """Return the recall of clean and of debris-covered ice; no row where the two cannot be told apart.

    There is no precision: what is mapped beside the outlines belongs to neither.
    """
    if scene.debris is None:
        return []
    zone = np.where(region & scene.truth, scene.debris.view(np.int8), np.int8(-1))
    pixels = confusion_by_zone(mapped, scene.truth, zone, count=2)
    km2 = _labelled_km2(scene, zone, count=2)
    return [
        SliceRow(
            slice="surface",
            group=name,
            n_glaciers=_glaciers(scene, zone == index),
            labelled_km2=round(km2[index], 6),
            recall=_rounded(ratio(pixels[index][3], pixels[index].sum()), 6),
        )
        for index, name in enumerate(SURFACES)
    ]


def _scored(scene: LabelledScene, mapped: BoolArray, zone: IntArray, kind: str, names: Sequence[str]) -> list[SliceRow]:
    count = len(names)
    scores = score_zones(mapped, scene.truth, zone, scene.area_km2, scene.grid.pixel_size_m, count=count)
    km2 = _labelled_km2(scene, zone, count=count)
    return [
        _row(scores[index], kind, name, n_glaciers=_glaciers(scene, zone == index), labelled_km2=km2[index])
        for index, name in enumerate(names)
        if (zone == index).any()
    ]


def _labelled_km2(scene: LabelledScene, zone: IntArray, *, count: int) -> list[float]:
    labelled = (zone >= 0) & scene.truth
    return [float(km2) for km2 in np.bincount(zone[labelled], scene.area_km2[labelled], minlength=count)]


def _glaciers(scene: LabelledScene, where: BoolArray) -> int:
    return int(np.count_nonzero(np.unique(scene.glacier_id[where])))


def _row(scores: Scores, kind: str, name: str, *, n_glaciers: int, labelled_km2: float) -> SliceRow:
    digits = {"area_bias_pct": 4, "boundary_distance_m": 2}
    values = {key: _rounded(value, digits.get(key, 6)) for key, value in scores.model_dump().items()}
    return SliceRow.model_validate(
        {"slice": kind, "group": name, "n_glaciers": n_glaciers, "labelled_km2": round(labelled_km2, 6), **values}
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
