"""Held-out scores of single glaciers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from stages.common.tables import GlacierRow, GlacierScoreRow
from stages.common.types import BoolArray, Float64Array, UInt16Array


def read_glaciers(path: Path) -> list[GlacierRow]:
    """Rows of glaciers.csv."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [GlacierRow.model_validate({k: v for k, v in row.items() if v}) for row in csv.DictReader(stream)]


def nearest_glacier(ids: UInt16Array) -> UInt16Array:
    """(H, W): the glacier whose outline is nearest to each pixel (its own inside an outline)."""
    _, (rows, columns) = distance_transform_edt(ids == 0, return_indices=True)
    return np.asarray(ids[rows, columns])


def glacier_scores(
    mapped: BoolArray, ids: UInt16Array, region: BoolArray, area_km2: Float64Array, glaciers: list[GlacierRow]
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
    rows = []
    for glacier in glaciers:
        index = glacier.glacier_index
        if index < count and held[index] > 0:
            rows.append(_row(glacier, whole[index], held[index], hit[index], claimed[index]))
    return rows


def _row(glacier: GlacierRow, whole: float, held: float, hit: float, claimed: float) -> GlacierScoreRow:
    return GlacierScoreRow(
        rgi_id=glacier.rgi_id,
        glac_name=glacier.glac_name,
        held_out_km2=round(held, 6),
        held_out_fraction=round(min(held / whole, 1.0), 6),
        recall=round(min(hit / held, 1.0), 6),
        iou=round(min(hit / (held + claimed - hit), 1.0), 6),
        area_bias_pct=round(100 * (claimed / held - 1), 4),
    )
