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
from stages.evaluate.scene import Scene
from stages.evaluate.scores import confusion

DRAWS = 9999
SEED = 1
MIN_BLOCKS = 5
"""Of four blocks a resample is one block alone every 64th time: its percentiles say nothing."""


def block_rows(
    scene: Scene, probability: Float32Array, mapped: BoolArray, region: BoolArray, params: PatchesParams
) -> list[BlockRow]:
    """One row for each block of the split with a pixel of `region`; all arrays (H, W)."""
    numbers = block_numbers(scene.grid.shape, params)
    count, columns = int(numbers.max()) + 1, math.ceil(scene.grid.width / params.block_columns_px)
    zones = {"": np.where(region, numbers, -1), "trusted_": np.where(region & ~scene.ignored, numbers, -1)}
    km2 = confusion(mapped, scene.truth, zones[""], count=count, weights=scene.area_km2)
    pixels = {name: confusion(mapped, scene.truth, zone, count=count).astype(int) for name, zone in zones.items()}
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
    """(count, 2): sum p and sum p (1 - p) of each zone."""
    there = zone >= 0
    p = probability[there].astype(np.float64)
    return np.stack([np.bincount(zone[there], part, minlength=count) for part in (p, p * (1 - p))], axis=1)


def score_interval(rows: Sequence[BlockRow]) -> ScoreInterval:
    """95 % percentile interval of IoU and area bias, of blocks drawn with replacement (Efron and Tibshirani 1993).

    With few blocks such an interval is somewhat too narrow; below five there is none. The draws are always the same.
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
    """2.5th and 97.5th percentile of the ratios; draws without any glacier have none."""
    ratios = part[whole > 0] / whole[whole > 0]
    if not len(ratios):
        return None, None
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def trusted_sums(rows: Sequence[BlockRow]) -> BlockSums:
    """What conformal factors are made of; blocks without a trusted pixel are left out."""
    there = [row for row in rows if row.trusted_px]
    return BlockSums(
        block=np.arange(len(there)),
        labelled=np.array([float(row.trusted_tp_px + row.trusted_fn_px) for row in there]),
        mapped=np.array([float(row.trusted_tp_px + row.trusted_fp_px) for row in there]),
        expected=np.array([row.trusted_expected_px for row in there]),
        variance=np.array([max(row.trusted_variance_px2, VARIANCE_FLOOR_PX2) for row in there]),
    )


def leave_one_out(sums: BlockSums) -> Coverage:
    """How often a block's area lies in the interval that dispersion and factors of all others give."""
    count = len(sums.block)
    found = [_covered(sums, one) for one in range(count)]
    shares = [
        sum(map(bool, level)) / count if count and None not in level else None
        for level in zip(*found, strict=True)
    ] or [None, None]  # fmt: skip
    return Coverage(blocks=count, coverage_68=shares[0], coverage_95=shares[1])


def _covered(sums: BlockSums, one: int) -> tuple[bool | None, bool | None]:
    """Whether the block lies in the 68 and in the 95 % interval of the others; None where they give none."""
    others = np.arange(len(sums.block)) != one
    error = area_error(BlockSums(*(getattr(sums, name)[others] for name in sums.__dataclass_fields__)))
    if error is None:
        return None, None
    off = abs(float(sums.mapped[one] - sums.labelled[one]))
    sigma = math.sqrt(error.dispersion * float(sums.variance[one]))
    low, high = (None if factor is None else off <= factor * sigma for factor in (error.factor_68, error.factor_95))
    return low, high
