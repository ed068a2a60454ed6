"""Held-out pixels block by block: the units that err independently of each other, so that intervals rest on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips
from stages.common.model.conformal import VARIANCE_FLOOR_PX2, BlockSums, area_error
from stages.common.params.learning import PatchesParams
from stages.common.tables.evaluate import BlockRow, Coverage, ScoreInterval
from stages.common.types import Float32Array, Float64Array, IntArray, Rows
from stages.evaluate.planes import ROWS_AT_ONCE, made
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import cells_by_zone

HeldOut = Callable[[slice], Float32Array]
"""Given some rows, returns (N,) values of their held-out pixels."""

DRAWS = 9999
"""Resamples of the blocks."""

SEED = 1
MIN_BLOCKS = 5
"""Fewest blocks of an interval. With four blocks, one resample in 64 repeats a single block."""


def block_rows(
    scene: LabelledScene, probability: HeldOut, mapped: Bits, region: Bits, params: PatchesParams
) -> list[BlockRow]:
    """Return one row per block of the split with a pixel of `region`.

    Parameters
    ----------
    probability
        Given some rows, returns those of their pixels in the region, (N,).
    mapped, region
        (H, W).
    """
    down, across = _blocks(scene.grid.shape, params)
    zones = {"": _zones(region, params), "trusted_": _zones(region & ~scene.ignored, params)}
    counts = {
        name: cells_by_zone(mapped, scene.truth, zone, scene.area_km2, count=down * across)
        for name, zone in zones.items()
    }
    km2, pixels = counts[""].km2, {name: part.pixels.astype(int) for name, part in counts.items()}
    expected = {name: _sums(probability, region, zone, down * across) for name, zone in zones.items()}
    rows = []
    for block in np.flatnonzero(pixels[""].sum(axis=1)):
        values = {"block_row": block // across, "block_column": block % across}
        values |= dict(zip(("tn_km2", "fp_km2", "fn_km2", "tp_km2"), km2[block].round(6), strict=True))
        for name in zones:
            values |= {"trusted_px" if name else "pixels": pixels[name][block].sum()}
            cells = (f"{name}tn_px", f"{name}fp_px", f"{name}fn_px", f"{name}tp_px")
            values |= dict(zip(cells, pixels[name][block], strict=True))
            sums = (f"{name}expected_px", f"{name}variance_px2")
            values |= dict(zip(sums, expected[name][block].round(4), strict=True))
        rows.append(BlockRow.model_validate({key: value.item() for key, value in values.items()}))
    return rows


def _blocks(shape: tuple[int, int], params: PatchesParams) -> tuple[int, int]:
    """Return how many blocks lie below and beside each other."""
    return math.ceil(shape[0] / params.block_rows_px), math.ceil(shape[1] / params.block_columns_px)


def _zones(region: Bits, params: PatchesParams) -> Rows:
    """Return (H, W) `split.block_numbers` of the pixels of a region, -1 elsewhere."""
    (height, width), beside = region.shape, _blocks(region.shape, params)[1]
    down, across = np.arange(height) // params.block_rows_px, np.arange(width) // params.block_columns_px

    def strip(rows: slice) -> IntArray:
        numbers = down[rows, None].astype(np.int32) * np.int32(beside) + across.astype(np.int32)
        return np.where(region[rows], numbers, np.int32(-1))

    return made(region, np.int32, strip)


def _sums(probability: HeldOut, region: Bits, zone: Rows, count: int) -> Float64Array:
    """Return (count, 2): sum p and sum p (1 - p) of each zone, which lies in the region; added pixel by pixel."""
    sums = np.zeros((2, count))
    for rows in strips(region.shape[0], ROWS_AT_ONCE):
        numbers = zone[rows][region[rows]]
        inside = numbers >= 0
        p = probability(rows)[inside].astype(np.float64)
        for part, values in zip(sums, (p, p * (1 - p)), strict=True):
            np.add.at(part, numbers[inside], values)
    return sums.T


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
