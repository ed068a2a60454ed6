"""Make intervals of 68 and 95 % from the two sources of error. Pure numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from stages.area.quantiles import normal_below, normal_quantile, t_quantile
from stages.common.tables.learning import DISPERSION_MIN, AreaError, MapModel
from stages.common.types import Float64Array

LEVELS: Final = (68, 95)
COVERED = {68: normal_below(1) - normal_below(-1), 95: 0.95}
"""Probability that each level stands for: 68 % is one standard deviation of a normal error, 68.27 %, as in the field's
papers."""

Z = {level: normal_quantile((1 + part) / 2) for level, part in COVERED.items()}
"""Normal quantile of each level: 1 and 1.96."""

BLOCKS_FOR_95 = 19
"""Fewest blocks whose errors bound a further one at 95 %: the least n with ceil(0.95 (n + 1)) <= n."""

MIN_FACTORS_FROM_TWINS = {68: 2.16, 95: 5.24}
"""Least factors of a model with fewer than `BLOCKS_FOR_95` held-out blocks.

The intervals of a model with seven blocks need these on 60 twins that it was not trained on (`python -m bench.coverage
--twins 60`): a few blocks of one site are no measure of other ground."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """Factors that the model's sigma is multiplied with."""

    by_level: dict[int, float]
    """Factor of each of `LEVELS`."""
    method: str
    """What the factors rest on, in words."""


def stated(error: AreaError | None) -> AreaError | None:
    """Return the model's error of areas; None where it states none, or one that cannot be.

    Models of earlier versions were judged on easy pixels alone: their error came out as 0.0 in every year.
    """
    return error if error and error.blocks > 0 and error.dispersion >= DISPERSION_MIN else None


def interval_factors(model: MapModel, expert_factors: tuple[float, float] | None) -> Factors:
    """Choose the expert's factors, else the conformal ones of the model, else Student's t or those of twins.

    A sigma that is estimated from n blocks is itself uncertain, so that errors over it follow Student's t with n
    degrees of freedom rather than the normal distribution: with 5 blocks 2.57 instead of 1.96 for 95 %. That counts
    the luck of the blocks and not that other ground is harder, so that what twins need is the least.

    Parameters
    ----------
    expert_factors
        Factors at 68 and 95 % from params.yaml (`area.interval_factors`), None where it names none.
    """
    error = stated(model.area_error)
    if error is None:
        sources = "delineation alone" if model.members == 1 else "delineation and ensemble spread"
        unused = "; area.interval_factors have nothing to widen" if expert_factors else ""
        method = (
            f"normal, {sources}: the model states no error of its areas, so that this is the least it can be{unused}"
        )
        return Factors(by_level=Z, method=method)
    if expert_factors:
        low, high = expert_factors
        method = f"model: factors {low:g} and {high:g} of area.interval_factors; delineation: normal"
        return Factors(by_level=dict(zip(LEVELS, expert_factors, strict=True)), method=method)
    student = {
        level: max(t_quantile((1 + COVERED[level]) / 2, error.blocks), MIN_FACTORS_FROM_TWINS[level])
        for level in LEVELS
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
    """Return half an interval: sqrt((z sigma_delineation)^2 + (f sigma_model)^2); the two sources are independent."""
    return np.hypot(Z[level] * np.asarray(delineation), factors.by_level[level] * np.asarray(model))


def change_sigma(first: float, second: float, rho: float) -> float:
    """Return the error of a difference: sqrt(s1^2 + s2^2 - 2 rho s1 s2); it holds for half widths as for sigmas."""
    return float(np.sqrt(max(first**2 + second**2 - 2 * rho * first * second, 0.0)))
