"""Held-out scores of single glaciers."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from stages.common.tables.evaluate import GlacierScoreRow
from stages.common.tables.labels import GlacierRow
from stages.common.types import BoolArray, Float64Array, UInt16Array
from stages.evaluate.scores import boundary_distances_m


def nearest_glacier(ids: UInt16Array) -> UInt16Array:
    """(H, W): the glacier whose outline is nearest to each pixel (its own inside an outline)."""
    _, (rows, columns) = distance_transform_edt(ids == 0, return_indices=True)
    return np.asarray(ids[rows, columns])


def glacier_scores(
    mapped: BoolArray,
    ids: UInt16Array,
    region: BoolArray,
    *,
    area_km2: Float64Array,
    pixel_m: float,
    glaciers: list[GlacierRow],
) -> list[GlacierScoreRow]:
    """One row for each glacier with a pixel in `region`; mapped ice belongs to the nearest outline.

    Areas, not pixels, are compared, so that the ratios are those of the map.
    """
    count = int(ids.max()) + 1
    nearest = nearest_glacier(ids)

    def total(which: BoolArray, owner: UInt16Array) -> Float64Array:
        sums = np.bincount(owner[which], weights=area_km2[which], minlength=count)
        return np.asarray(sums, dtype=np.float64)

    whole, held = total(ids > 0, ids), total((ids > 0) & region, ids)
    hit, claimed = total((ids > 0) & mapped & region, ids), total(mapped & region, nearest)
    zone = np.where(region, nearest.astype(np.int64), -1)
    distances = boundary_distances_m(mapped, ids > 0, zone, pixel_m, count=count)
    there = (glacier for glacier in glaciers if glacier.glacier_index < count and held[glacier.glacier_index] > 0)
    return [
        _row(one, whole=whole[i], held=held[i], hit=hit[i], claimed=claimed[i], distance_m=distances[i])
        for one in there
        for i in [one.glacier_index]
    ]


def _row(
    glacier: GlacierRow, *, whole: float, held: float, hit: float, claimed: float, distance_m: float | None
) -> GlacierScoreRow:
    """Ratios of areas in km2: the outline (whole and held out), the ice mapped in it, the ice mapped nearest to it."""
    return GlacierScoreRow(
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        held_out_km2=round(held, 6),
        held_out_fraction=round(min(held / whole, 1.0), 6),
        iou=round(min(hit / (held + claimed - hit), 1.0), 6),
        f1=round(min(2 * hit / (held + claimed), 1.0), 6),
        precision=round(min(hit / claimed, 1.0), 6) if claimed else None,
        recall=round(min(hit / held, 1.0), 6),
        area_bias_pct=round(100 * (claimed / held - 1), 4),
        boundary_distance_m=None if distance_m is None else round(distance_m, 2),
    )
