"""Calibration of fitted nets: one temperature, and the threshold at which the mapped area is unbiased.

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
from stages.common.params.learning import TrainParams
from stages.common.tables.learning import AreaError, Calibrated
from stages.common.types import BoolArray, Float32Array, Float64Array, IntArray
from stages.train.validation import ValidationPixels, join

TEMPERATURES = 0.1, 10.0
"""Bounds of the search; one of them is the answer only where every pixel is right, or where nothing was learned."""

LEVELS = 10_000
"""Thresholds are multiples of 1e-4, the resolution of probability.tif."""

THRESHOLDS = 0.2, 0.8
"""Bounds on the zero-bias threshold: beyond them few pixels lie, so that area follows the noise of a few blocks, and a
pixel that is glacier at odds of 1 to 4 would be mapped as bare ground."""

FITTED_RULE = "least negative log-likelihood on calibration blocks"
OFF_RULE = "as fitted: train.calibrate is off"
NO_BLOCK_RULE = "as fitted: no labelled pixel in calibration blocks"
GIVEN_RULE = "given"
ZERO_BIAS_RULE = "zero area bias on validation blocks"


def calibrate(
    validation: ValidationPixels, calibration: ValidationPixels, params: TrainParams
) -> tuple[Calibrated, AreaError | None]:
    """Fit the temperature on `calibration`, and threshold and the error of areas on the pixels of both."""
    temperature, rule = _temperature(calibration, params)
    fold = join([validation, calibration])
    probability = mean_probability(fold.logit, temperature)
    threshold, threshold_rule = _threshold(probability, fold.glacier, params)
    as_params_say = threshold_rule == GIVEN_RULE
    mapped = probability >= threshold if as_params_say else map_leave_one_block_out(probability, fold)
    calibrated = Calibrated(
        temperature=temperature,
        temperature_rule=rule,
        threshold=threshold,
        threshold_rule=threshold_rule,
        **(_scores(calibration, temperature) if len(calibration) else {}),
    )
    return calibrated, area_error(block_sums(probability, fold.glacier, mapped, fold.block, fold.scene))


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
    """Return the threshold at which as many pixels are mapped as are labelled glacier, without bounds.

    Parameters
    ----------
    counts
        (LEVELS + 1,) pixels by floor(probability x LEVELS).
    labelled
        Pixels labelled glacier.
    """
    mapped = np.cumsum(counts[::-1])[::-1]
    off = np.abs(mapped - labelled)
    best = np.flatnonzero(off == off.min())
    return float(best[len(best) // 2]) / LEVELS


def bounded(threshold: float) -> float:
    """Return the threshold, moved into the range `THRESHOLDS`."""
    return float(np.clip(threshold, *THRESHOLDS))


def _temperature(calibration: ValidationPixels, params: TrainParams) -> tuple[float, str]:
    if not params.calibrate:
        return 1.0, OFF_RULE
    if not len(calibration):
        return 1.0, NO_BLOCK_RULE
    temperature = fit_temperature(calibration.logit, calibration.glacier)
    low, high = TEMPERATURES
    edge = not low * 1.001 < temperature < high * 0.999
    return temperature, FITTED_RULE + (", at the edge of the search" if edge else "")


def _threshold(probability: Float64Array, glacier: BoolArray, params: TrainParams) -> tuple[float, str]:
    if params.threshold != "zero_area_bias":
        return params.threshold, GIVEN_RULE
    counts = np.bincount(_level(probability), minlength=LEVELS + 1)
    free = zero_bias_threshold(counts, int(glacier.sum()))
    return bounded(free), ZERO_BIAS_RULE + (f", bounded (unbounded: {free:g})" if bounded(free) != free else "")


def map_leave_one_block_out(probability: Float64Array, fold: ValidationPixels) -> BoolArray:
    """Return (P,) bool, mapped glacier: each block at the threshold that all other blocks give.

    At a threshold that depends on the block itself its area would look better than it is. A single block is mapped at
    its own threshold.
    """
    blocks, index = np.unique(fold.block, return_inverse=True)
    flat = np.bincount(index * (LEVELS + 1) + _level(probability), minlength=len(blocks) * (LEVELS + 1))
    counts = flat.reshape(len(blocks), LEVELS + 1)
    labelled = np.bincount(index, fold.glacier, len(blocks)).astype(np.int64)
    rest = (counts.sum(axis=0) - counts, labelled.sum() - labelled) if len(blocks) > 1 else (counts, labelled)
    thresholds = [bounded(zero_bias_threshold(count, int(ice))) for count, ice in zip(*rest, strict=True)]
    return np.asarray(probability >= np.array(thresholds)[index])


def _level(probability: Float64Array) -> IntArray:
    return np.floor(probability * LEVELS).astype(np.int64)


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
