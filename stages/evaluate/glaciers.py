"""Held-out scores of single glaciers."""

from __future__ import annotations

import numpy as np

from stages.common.tables.evaluate import GlacierScoreRow
from stages.common.tables.labels import GlacierRow
from stages.common.types import BoolArray, Float64Array, UInt16Array
from stages.evaluate.pixel_areas import PixelAreas
from stages.evaluate.scores import boundary_distances_m


def glacier_scores(
    mapped: BoolArray,
    ids: UInt16Array,
    region: BoolArray,
    *,
    nearest: UInt16Array,
    area_km2: Float64Array | PixelAreas,
    pixel_m: float,
    glaciers: list[GlacierRow],
) -> list[GlacierScoreRow]:
    """Return one row per glacier with a pixel in `region`; mapped ice belongs to the nearest outline, (H, W) `nearest`.

    Areas, not pixels, are compared, so that the ratios are those of the map.
    """
    count = int(ids.max()) + 1

    def total(which: BoolArray, owner: UInt16Array) -> Float64Array:
        sums = np.bincount(owner[which], weights=area_km2[which], minlength=count)
        return np.asarray(sums, dtype=np.float64)

    whole, held_out = total(ids > 0, ids), total((ids > 0) & region, ids)
    hit, claimed = total((ids > 0) & mapped & region, ids), total(mapped & region, nearest)
    zone = np.where(region, nearest.astype(np.int32), np.int32(-1))
    distances = boundary_distances_m(mapped, ids > 0, zone, pixel_m, count=count)
    return [
        _row(glacier, whole=whole[i], held_out=held_out[i], hit=hit[i], claimed=claimed[i], distance_m=distances[i])
        for glacier in glaciers
        for i in [glacier.glacier_index]
        if i < count and held_out[i] > 0
    ]


def _row(
    glacier: GlacierRow, *, whole: float, held_out: float, hit: float, claimed: float, distance_m: float | None
) -> GlacierScoreRow:
    """Score one glacier by areas in km2: its outline (whole, held out), ice mapped in it, ice mapped nearest to it."""
    return GlacierScoreRow(
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        held_out_km2=round(held_out, 6),
        held_out_fraction=round(min(held_out / whole, 1.0), 6),
        iou=round(min(hit / (held_out + claimed - hit), 1.0), 6),
        f1=round(min(2 * hit / (held_out + claimed), 1.0), 6),
        precision=round(min(hit / claimed, 1.0), 6) if claimed else None,
        recall=round(min(hit / held_out, 1.0), 6),
        area_bias_pct=round(100 * (claimed / held_out - 1), 4),
        boundary_distance_m=None if distance_m is None else round(distance_m, 2),
    )
