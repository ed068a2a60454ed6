"""Calibration of fitted nets: one temperature, and the threshold at which the mapped area is unbiased.

Both are fitted on all labelled pixels of held-out blocks, those along the boundary included: what is mapped there
decides the area. Each is kept only where it holds on blocks other than its own.

The temperature is that of the mean: it minimises the negative log-likelihood of the averaged probabilities, so that an
ensemble is calibrated as a whole (the mean of calibrated members is too unsure of itself; Rahaman and Thiery 2021).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, logsumexp

from stages.common.model.calibration import expected_calibration_error, reliability_bins
from stages.common.model.conformal import area_error, block_sums
from stages.common.model.probability import reaches, stored_levels, threshold_level
from stages.common.params.learning import TrainParams
from stages.common.tables.kinds import PROBABILITY_SCALE
from stages.common.tables.learning import AreaError, Calibrated
from stages.common.types import BoolArray, Float32Array, Float64Array, IntArray
from stages.train.validation import ValidationPixels, join

TEMPERATURES = 0.1, 10.0
"""Bounds of the search; one of them is the answer only where every pixel is right, or where nothing was learned."""

LEVELS = round(1 / PROBABILITY_SCALE)
"""Thresholds are stored levels of probability.tif: 1 to 9999 ten-thousandths."""

HALF = 0.5
"""Threshold where no other one is known to be better: calibrated probabilities are most often right with it."""

WRONG_MIN = 1e-3
"""Least share of wrong pixels of which an error of areas can be told: with fewer, the blocks held nothing hard."""

FITTED_RULE = "least negative log-likelihood on calibration blocks"
OFF_RULE = "as fitted: train.calibrate is off"
NO_BLOCK_RULE = "as fitted: no labelled pixel in calibration blocks"
EDGE_RULE = (
    "as fitted: the calibration blocks give no temperature, all of their pixels are right or nothing was learned"
)
WORSE_RULE = "as fitted: the temperature of the calibration blocks ({:g}) fits the validation blocks worse"
GIVEN_RULE = "given"
ZERO_BIAS_RULE = "zero area bias against the outlines on validation blocks"
HALF_RULE = (
    "one half: {:g} has zero area bias on validation blocks, but on one block by the others' it maps areas no better"
)


def calibrate(
    validation: ValidationPixels, calibration: ValidationPixels, params: TrainParams
) -> tuple[Calibrated, AreaError | None]:
    """Fit the temperature on `calibration`, and threshold and the error of areas on the pixels of both.

    Returns
    -------
    tuple
        Temperature and threshold with the rules that chose them, and the error of areas: None where fewer than
        `WRONG_MIN` of the pixels are wrong, because easy pixels say nothing of the hard ones elsewhere.
    """
    temperature, rule = _temperature(validation, calibration, params)
    fold = join([validation, calibration])
    probability = mean_probability(fold.logit, temperature)
    threshold, threshold_rule = _threshold(probability, fold, params)
    zero_bias = threshold_rule == ZERO_BIAS_RULE
    mapped = map_leave_one_block_out(probability, fold) if zero_bias else maps(probability, threshold)
    calibrated = Calibrated(
        temperature=temperature,
        temperature_rule=rule,
        threshold=threshold,
        threshold_rule=threshold_rule,
        **(_scores(calibration, temperature) if len(calibration) else {}),
    )
    if not len(fold) or (mapped != fold.glacier).mean() < WRONG_MIN:
        return calibrated, None
    return calibrated, area_error(block_sums(probability, fold.glacier, mapped, fold.block, fold.scene))


def maps(probability: Float64Array, threshold: float) -> BoolArray:
    """Return where a probability is glacier at a threshold, by the stored levels that `predict` compares."""
    return reaches(probability.astype(np.float32), threshold)


def mean_probability(logit: Float32Array, temperature: float) -> Float64Array:
    """Return the (P,) mean over the members of sigmoid(logit / temperature), from (P, M) logits."""
    return np.asarray(expit(logit.astype(np.float64) / temperature).mean(axis=1))


def negative_log_likelihood(logit: Float32Array, glacier: BoolArray, temperature: float) -> float:
    """Return the mean of -log p in nats per pixel, p the members' mean probability of what is labelled."""
    signed = np.where(glacier[:, None], logit, -logit).astype(np.float64) / temperature
    return float(-(logsumexp(log_expit(signed), axis=1) - np.log(logit.shape[1])).mean())


def fit_temperature(logit: Float32Array, glacier: BoolArray) -> float:
    """Return the temperature of least negative log-likelihood, to 1e-6 (Guo et al. 2017, section 4.2)."""
    minimum = minimize_scalar(
        lambda log_t: negative_log_likelihood(logit, glacier, float(np.exp(log_t))),
        bounds=tuple(np.log(TEMPERATURES)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return round(float(np.exp(minimum.x)), 6)


def zero_bias_threshold(counts: IntArray, labelled: int) -> float:
    """Return the threshold at which as many pixels are mapped as are labelled glacier.

    Parameters
    ----------
    counts
        (LEVELS + 1,) pixels by stored level of their probability.
    labelled
        Pixels labelled glacier.
    """
    mapped = np.cumsum(counts[::-1])[::-1]
    off = np.abs(mapped - labelled)[1:LEVELS]
    best = np.flatnonzero(off == off.min()) + 1
    return float(best[len(best) // 2]) / LEVELS


def _temperature(validation: ValidationPixels, calibration: ValidationPixels, params: TrainParams) -> tuple[float, str]:
    if not params.calibrate:
        return 1.0, OFF_RULE
    if not len(calibration):
        return 1.0, NO_BLOCK_RULE
    temperature = fit_temperature(calibration.logit, calibration.glacier)
    low, high = TEMPERATURES
    if not low * 1.001 < temperature < high * 0.999:
        return 1.0, EDGE_RULE
    if len(validation) and _worse(validation, temperature):
        return 1.0, WORSE_RULE.format(temperature)
    return temperature, FITTED_RULE


def _worse(validation: ValidationPixels, temperature: float) -> bool:
    fitted, as_it_is = (negative_log_likelihood(validation.logit, validation.glacier, t) for t in (temperature, 1.0))
    return fitted > as_it_is


def _threshold(probability: Float64Array, fold: ValidationPixels, params: TrainParams) -> tuple[float, str]:
    """Return the threshold and its rule; that of zero bias only where it maps blocks better that it was not chosen on.

    Each block is mapped at the threshold of the others: where they disagree, their total area is further off than at
    one half, and the threshold is the chance of a few blocks.
    """
    if params.threshold != "zero_area_bias":
        return params.threshold, GIVEN_RULE
    labelled = int(fold.glacier.sum())
    threshold = zero_bias_threshold(np.bincount(_level(probability), minlength=LEVELS + 1), labelled)
    others, half = map_leave_one_block_out(probability, fold), maps(probability, HALF)
    if abs(int(others.sum()) - labelled) > abs(int(half.sum()) - labelled):
        return HALF, HALF_RULE.format(threshold)
    return threshold, ZERO_BIAS_RULE


def map_leave_one_block_out(probability: Float64Array, fold: ValidationPixels) -> BoolArray:
    """Return (P,) bool, mapped glacier: each block at the threshold that all other blocks give.

    At a threshold that depends on the block itself its area would look better than it is. A single block, which has no
    others, is mapped at one half.
    """
    blocks, index = np.unique(fold.block, return_inverse=True)
    if len(blocks) < 2:
        return maps(probability, HALF)
    levels = _level(probability)
    flat = np.bincount(index * (LEVELS + 1) + levels, minlength=len(blocks) * (LEVELS + 1))
    counts = flat.reshape(len(blocks), LEVELS + 1)
    labelled = np.bincount(index, fold.glacier, len(blocks)).astype(np.int64)
    rest = counts.sum(axis=0) - counts, labelled.sum() - labelled
    thresholds = [zero_bias_threshold(count, int(ice)) for count, ice in zip(*rest, strict=True)]
    return np.asarray(levels >= np.array([threshold_level(value) for value in thresholds])[index])


def _level(probability: Float64Array) -> IntArray:
    return stored_levels(probability.astype(np.float32)).astype(np.int64)


def _scores(calibration: ValidationPixels, temperature: float) -> dict[str, Any]:
    """Return likelihood and calibration error over the calibration pixels, before and after."""
    scores: dict[str, Any] = {"calibration_pixels": len(calibration)}
    for suffix, value in (("_as_fitted", 1.0), ("", temperature)):
        probability = mean_probability(calibration.logit, value)
        nll = negative_log_likelihood(calibration.logit, calibration.glacier, value)
        scores[f"nll{suffix}"] = round(nll, 6)
        scores[f"ece{suffix}"] = round(
            expected_calibration_error(reliability_bins(probability, calibration.glacier)), 6
        )
    return scores
