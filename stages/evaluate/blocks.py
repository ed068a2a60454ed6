"""Held-out pixels block by block: the units that err independently of each other, so that intervals rest on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stages.common.model.conformal import VARIANCE_FLOOR_PX2, BlockSums, area_error
from stages.common.model.split import block_numbers
from stages.common.params.learning import PatchesParams
from stages.common.tables.evaluate import BlockRow, Coverage, ScoreInterval
from stages.common.types import BoolArray, Float32Array, Float64Array
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import confusion_by_zone

DRAWS = 9999
"""Resamples of the blocks."""

SEED = 1
MIN_BLOCKS = 5
"""Fewest blocks of an interval. With four blocks, one resample in 64 repeats a single block."""


def block_rows(
    scene: LabelledScene, probability: Float32Array, mapped: BoolArray, region: BoolArray, params: PatchesParams
) -> list[BlockRow]:
    """Return one row per block of the split with a pixel of `region`.

    Parameters
    ----------
    probability
        (N,) of the N pixels of the region.
    mapped, region
        (H, W).
    """
    numbers = block_numbers(scene.grid.shape, params)
    count, columns = int(numbers[-1, -1]) + 1, math.ceil(scene.grid.width / params.block_columns_px)
    numbers = numbers[region]
    zones = {"": numbers, "trusted_": np.where(scene.ignored[region], np.int32(-1), numbers)}
    mapped, truth = mapped[region], scene.truth[region]
    km2 = confusion_by_zone(mapped, truth, zones[""], count=count, weights=scene.area_km2[region])
    pixels = {name: confusion_by_zone(mapped, truth, zone, count=count).astype(int) for name, zone in zones.items()}
    expected = {name: _sums(probability, zone, count) for name, zone in zones.items()}
    rows = []
    for block in np.flatnonzero(pixels[""].sum(axis=1)):
        values = {"block_row": block // columns, "block_column": block % columns}
        values |= dict(zip(("tn_km2", "fp_km2", "fn_km2", "tp_km2"), km2[block].round(6), strict=True))
        for name in zones:
            values |= {"trusted_px" if name else "pixels": pixels[name][block].sum()}
            cells = (f"{name}tn_px", f"{name}fp_px", f"{name}fn_px", f"{name}tp_px")
            values |= dict(zip(cells, pixels[name][block], strict=True))
            sums = (f"{name}expected_px", f"{name}variance_px2")
            values |= dict(zip(sums, expected[name][block].round(4), strict=True))
        rows.append(BlockRow.model_validate({key: value.item() for key, value in values.items()}))
    return rows


def _sums(probability: Float32Array, zone: np.ndarray, count: int) -> Float64Array:
    """Return (count, 2): sum p and sum p (1 - p) of each zone."""
    inside = zone >= 0
    p = probability[inside].astype(np.float64)
    return np.stack([np.bincount(zone[inside], part, minlength=count) for part in (p, p * (1 - p))], axis=1)


def score_interval(rows: Sequence[BlockRow]) -> ScoreInterval:
    """Return 95 % percentile intervals of IoU and area bias from resampled blocks (Efron and Tibshirani 1993).

    With few blocks such an interval is somewhat too narrow; below five blocks there is none. The draws are
    always the same.
    """
    if len(rows) < MIN_BLOCKS:
        return ScoreInterval(blocks=len(rows))
    cells = np.array([[row.tp_px, row.fp_px, row.fn_px, row.tp_km2, row.fp_km2, row.fn_km2] for row in rows])
    drawn = np.random.default_rng(SEED).integers(0, len(rows), (DRAWS, len(rows)))
    hit, false_alarm, miss, hit_km2, false_alarm_km2, miss_km2 = cells[drawn].sum(axis=1).T
    iou = _interval(hit, hit + false_alarm + miss)
    bias = _interval(100 * (false_alarm_km2 - miss_km2), hit_km2 + miss_km2)
    return ScoreInterval(
        blocks=len(rows), iou_low95=iou[0], iou_high95=iou[1], area_bias_low95_pct=bias[0], area_bias_high95_pct=bias[1]
    )


def _interval(part: Float64Array, whole: Float64Array) -> tuple[float, float] | tuple[None, None]:
    """Return the 2.5th and 97.5th percentile of the ratios; draws without any glacier have no ratio."""
    ratios = part[whole > 0] / whole[whole > 0]
    if not len(ratios):
        return None, None
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def block_sums(rows: Sequence[BlockRow]) -> BlockSums:
    """Return the sums that conformal factors rest on: all labelled pixels, the boundary included, as it is mapped."""
    return BlockSums(
        block=np.arange(len(rows)),
        labelled=np.array([float(row.tp_px + row.fn_px) for row in rows]),
        mapped=np.array([float(row.tp_px + row.fp_px) for row in rows]),
        variance=np.array([max(row.variance_px2, VARIANCE_FLOOR_PX2) for row in rows]),
    )


def leave_one_out(sums: BlockSums) -> Coverage:
    """Return how often a block's area lies in the interval that all the other blocks give."""
    count = len(sums.block)
    covered = [_covered(sums, block) for block in range(count)]
    shares = [
        sum(map(bool, level)) / count if count and None not in level else None
        for level in zip(*covered, strict=True)
    ] or [None, None]  # fmt: skip
    return Coverage(blocks=count, coverage_68=shares[0], coverage_95=shares[1])


def _covered(sums: BlockSums, block: int) -> tuple[bool | None, bool | None]:
    """Return whether the block lies in the 68 and the 95 % interval of the rest; None where they give no interval."""
    rest = np.arange(len(sums.block)) != block
    error = area_error(BlockSums(*(getattr(sums, name)[rest] for name in sums.__dataclass_fields__)))
    if error is None:
        return None, None
    off = abs(float(sums.mapped[block] - sums.labelled[block]))
    sigma = math.sqrt(error.dispersion * float(sums.variance[block]))
    low, high = (None if factor is None else off <= factor * sigma for factor in (error.factor_68, error.factor_95))
    return low, high
