"""Errors of areas, learned from held-out blocks: dispersion of the binomial variance, and conformal factors.

Errors of the pixels of a block are alike, so only blocks count as independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stages.common.tables.learning import DISPERSION_MIN, AreaError
from stages.common.types import AnyArray, BoolArray, Float64Array, IntArray

VARIANCE_FLOOR_PX2 = 1.0
"""Least variance of an area: where a model is sure of every pixel, sum p (1 - p) tends to 0."""

ROUNDING = 9
"""Decimals that (n + 1) level is rounded to: 25 x 0.68 is 17, not a float above it."""


@dataclass(frozen=True)
class BlockSums:
    """Sums in pixels over the trusted pixels of each block and scene, all (N,)."""

    block: IntArray
    """Number of the block; a block that several scenes show stands several times."""
    labelled: Float64Array
    """Pixels labelled glacier: sum y."""
    mapped: Float64Array
    """Pixels mapped as glacier: p at or above the threshold."""
    variance: Float64Array
    """Binomial variance: sum p (1 - p), at least `VARIANCE_FLOOR_PX2`."""


def block_sums(
    probability: AnyArray, labelled: BoolArray, mapped: BoolArray, block: IntArray, scene: IntArray
) -> BlockSums:
    """Sum 1-D arrays over trusted pixels by (block, scene); p in 0-1.

    Raises
    ------
    ValueError
        The arrays differ in length.
    """
    if len({len(part) for part in (probability, labelled, mapped, block, scene)}) > 1:
        raise ValueError("probability, labelled, mapped, block and scene differ in length")
    scenes = int(scene.max(initial=0)) + 1
    units, where = np.unique(block * scenes + scene, return_inverse=True)
    p = probability.astype(np.float64)

    def total(part: AnyArray) -> Float64Array:
        return np.bincount(where, part, len(units)).astype(np.float64)

    variance = np.maximum(total(p * (1.0 - p)), VARIANCE_FLOOR_PX2)
    return BlockSums(units // scenes, total(labelled), total(mapped), variance)


def area_error(sums: BlockSums) -> AreaError | None:
    """Return dispersion and conformal factors of the error of an area; None without a block, or where none was hard.

    A block's squared error terms are averaged over its scenes, which are not independent of each other. The dispersion
    is that of a quasi-binomial model (McCullagh and Nelder 1989, section 4.5) of the mapped area, which is the one that
    is reported: a block must be mapped at a threshold that was not chosen on it, or its area looks better than it is
    elsewhere. The factors are split-conformal quantiles of |mapped - labelled| / sqrt(dispersion sum p (1 - p)) (Vovk
    et al. 2005; Lei et al. 2018), None where there are too few blocks (`blocks_needed`), or where no block is off.
    """
    if not len(sums.block):
        return None
    blocks = _mean_by_block((sums.mapped - sums.labelled) ** 2 / sums.variance, sums.block)
    dispersion = float(blocks.mean())
    if dispersion < DISPERSION_MIN:
        return None
    scores = area_scores(sums, dispersion)
    return AreaError(
        blocks=len(blocks),
        dispersion=round(dispersion, 6),
        factor_68=_rounded(conformal_quantile(scores, 0.68)),
        factor_95=_rounded(conformal_quantile(scores, 0.95)),
    )


def area_scores(sums: BlockSums, dispersion: float) -> Float64Array:
    """Return each block's |mapped - labelled| / sqrt(dispersion sum p (1 - p)), (B,), root mean square over its scenes.

    Empty where the dispersion is 0: there is nothing to scale with.
    """
    if dispersion == 0:
        return np.empty(0)
    squared = (sums.mapped - sums.labelled) ** 2 / (dispersion * sums.variance)
    return np.asarray(np.sqrt(_mean_by_block(squared, sums.block)))


def conformal_quantile(scores: Float64Array, level: float) -> float | None:
    """Return the ceil((n + 1) level)-th smallest of n scores; None where that is more than n.

    A new score that is exchangeable with these is at most this one with a probability of at least `level` (Lei et al.
    2018, theorem 2.2).
    """
    rank = math.ceil(round((len(scores) + 1) * level, ROUNDING))
    return float(np.sort(scores)[rank - 1]) if 1 <= rank <= len(scores) else None


def blocks_needed(level: float) -> int:
    """Return the fewest scores that `conformal_quantile` needs: level / (1 - level), rounded up; 19 for 0.95."""
    return math.ceil(round(level / (1.0 - level), ROUNDING))


def _mean_by_block(values: Float64Array, block: IntArray) -> Float64Array:
    """Return the mean of the values of each block, (B,), in the order of the blocks' numbers."""
    _, where = np.unique(block, return_inverse=True)
    return np.asarray(np.bincount(where, values) / np.bincount(where))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
