"""Held-out scores of single glaciers."""

from __future__ import annotations

import numpy as np

from stages.common.geo.rows import strips
from stages.common.tables.evaluate import GlacierScoreRow
from stages.common.tables.labels import GlacierRow
from stages.common.types import Rows
from stages.evaluate.boundaries import Boundaries
from stages.evaluate.planes import ROWS_AT_ONCE, made


def glacier_scores(
    mapped: Rows,
    ids: Rows,
    region: Rows,
    *,
    nearest: Rows,
    boundaries: Boundaries,
    area_km2: Rows,
    pixel_m: float,
    glaciers: list[GlacierRow],
    count: int,
) -> list[GlacierScoreRow]:
    """Return one row per glacier with a pixel in `region`; ice that is mapped there belongs to the `nearest` outline.

    Areas, not pixels, are compared, so that the ratios are those of the map. `ids` are below `count`.
    """
    whole, held_out, hit, claimed = (np.zeros(count) for _ in range(4))
    for rows in strips(region.shape[0], ROWS_AT_ONCE):
        owner, km2, inside = ids[rows], area_km2[rows], region[rows]
        labelled, found = owner > 0, mapped[rows] & inside
        np.add.at(claimed, nearest[rows][found], km2[found])
        for sums, pixels in ((whole, labelled), (held_out, labelled & inside), (hit, labelled & found)):
            np.add.at(sums, owner[pixels], km2[pixels])
    zone = made(nearest, np.int32, lambda rows: nearest[rows].astype(np.int32))
    distances = boundaries.mean_distances_m(zone, pixel_m, count=count)
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
