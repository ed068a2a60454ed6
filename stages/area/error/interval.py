"""Intervals of 68 and 95 % from the two sources of error. Pure numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from stages.common.tables.learning import MapModel
from stages.common.types import Float64Array

LEVELS: Final = (68, 95)
COVERED = {68: float(stats.norm.cdf(1) - stats.norm.cdf(-1)), 95: 0.95}
"""68 % is one standard deviation of a normal error, 68.27 %, as it is in the field's papers."""

Z = {level: float(stats.norm.ppf((1 + part) / 2)) for level, part in COVERED.items()}

BLOCKS_FOR_95 = 19
"""The 95 % quantile of n exchangeable errors, and one more, is among them from n = 19 on: ceil(0.95 (n + 1)) <= n."""


OF_TWINS = {68: 1.26, 95: 2.47}
"""Factors that 200 unseen twins need for the intervals of a model with seven held-out blocks to hold what they say
(`python -m bench.coverage`): a handful of blocks of one site says too little of other ground, so no fewer blocks than
`BLOCKS_FOR_95` may claim less."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What the model's sigma is multiplied with."""

    by_level: dict[int, float]
    method: str
    """What they rest on, in words."""


def factors_of(model: MapModel, given: tuple[float, float] | None) -> Factors:
    """Factors given by an expert, else the conformal ones of the model, else Student's t or those of twins.

    A sigma that is estimated from n blocks is itself uncertain, so that errors over it follow Student's t with n
    degrees of freedom rather than the normal distribution: with 5 blocks 2.57 instead of 1.96 for 95 %. That counts
    the luck of the blocks and not that other ground is harder, so that what twins need is the least.
    """
    error = model.area_error
    if error is None or error.blocks == 0:
        sources = "delineation alone" if model.members == 1 else "delineation and ensemble spread"
        unused = "; area.interval_factors have nothing to widen" if given else ""
        method = f"normal, {sources}: the model says nothing of its area errors{unused}"
        return Factors(by_level=Z, method=method)
    if given:
        method = f"model: factors {given[0]:g} and {given[1]:g} of area.interval_factors; delineation: normal"
        return Factors(by_level=dict(zip(LEVELS, given, strict=True)), method=method)
    student = {
        level: max(float(stats.t.ppf((1 + COVERED[level]) / 2, error.blocks)), OF_TWINS[level]) for level in LEVELS
    }
    if error.factor_68 is not None and error.factor_95 is not None:
        by_level = {68: error.factor_68, 95: max(error.factor_68, error.factor_95)}
        return Factors(
            by_level=by_level, method=f"model: conformal, {error.blocks} held-out blocks; delineation: normal"
        )
    method = (
        f"model: {error.blocks} held-out blocks (conformal needs {BLOCKS_FOR_95} for 95 %), Student's t and at least "
        "what simulated glaciers need; delineation: normal"
    )
    return Factors(by_level=student, method=method)


def half_width(
    delineation: Float64Array | float, model: Float64Array | float, factors: Factors, level: int
) -> Float64Array:
    """Half an interval: sqrt((z sigma_delineation)^2 + (f sigma_model)^2), as the two sources are independent."""
    return np.hypot(Z[level] * np.asarray(delineation), factors.by_level[level] * np.asarray(model))


def change_sigma(first: float, second: float, rho: float) -> float:
    """Error of the difference of two areas: sqrt(s1^2 + s2^2 - 2 rho s1 s2); of half widths as of sigmas."""
    return float(np.sqrt(max(first**2 + second**2 - 2 * rho * first * second, 0.0)))
