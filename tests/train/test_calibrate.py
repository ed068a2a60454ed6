"""Calibration against known answers: a planted temperature, a planted bias, windows that overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.common.params.learning import TrainParams
from stages.train import calibrate as c
from stages.train.validation import ValidationPixels, join, once_each


def params(**changes: object) -> TrainParams:
    return TrainParams.model_validate({"epochs": 1, "steps_per_epoch": 1, "patience_epochs": 1} | changes)


def pixels(
    count: int = 60_000, *, temperature: float = 1.0, blocks: int = 6, bias: float = 0.0, seed: int = 0
) -> ValidationPixels:
    """Labels drawn from sigmoid(z), logits of temperature x z + bias."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-0.5, 2.5, count)
    glacier = rng.random(count) < 1 / (1 + np.exp(-z))
    block = np.arange(count) * blocks // count
    return ValidationPixels((temperature * z + bias)[:, None].astype(np.float32), glacier, block, np.zeros_like(block))


def no_pixels() -> ValidationPixels:
    return ValidationPixels(np.empty((0, 1), np.float32), np.empty(0, bool), np.empty(0, int), np.empty(0, int))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_planted_temperature_is_found(temperature: float) -> None:
    validation = pixels(temperature=temperature)
    assert c.fit_temperature(validation.logit, validation.glacier) == pytest.approx(temperature, rel=0.03)


def test_calibration_lowers_likelihood_and_calibration_error() -> None:
    validation = pixels(temperature=3.0)
    model, _ = c.calibrate(validation, validation, params())
    assert model.nll is not None and model.nll_as_fitted is not None and model.ece is not None
    assert model.nll < model.nll_as_fitted - 0.1
    assert model.ece < 0.01
    assert model.ece_as_fitted is not None and model.ece_as_fitted > 0.05
    assert (model.temperature_rule, model.calibration_pixels) == (c.FITTED_RULE, len(validation))


def test_likelihood_known_answer() -> None:
    """Two members of 0.8 and 0.4: 0.6 on average, where glacier is labelled and where it is not."""
    logit = np.log(np.array([[0.8 / 0.2, 0.4 / 0.6]] * 2)).astype(np.float32)
    nats = c.negative_log_likelihood(logit, np.array([True, False]), 1.0)
    assert nats == pytest.approx(-(np.log(0.6) + np.log(0.4)) / 2, rel=1e-6)


def test_likelihood_of_extreme_logits_is_finite() -> None:
    logit = np.array([[1e4], [-1e4]], dtype=np.float32)
    assert c.negative_log_likelihood(logit, np.array([False, True]), 1.0) == pytest.approx(1e4)


@pytest.mark.parametrize(
    ("changes", "calibration", "rule"),
    [
        pytest.param({"calibrate": False}, pixels(temperature=3.0), c.OFF_RULE, id="switched off"),
        pytest.param({}, no_pixels(), c.NO_BLOCK_RULE, id="no calibration block"),
    ],
)
def test_without_calibration_the_temperature_is_one_and_says_why(
    changes: dict[str, object], calibration: ValidationPixels, rule: str
) -> None:
    model, _ = c.calibrate(pixels(), calibration, params(**changes))
    assert (model.temperature, model.temperature_rule) == (1.0, rule)


def test_every_pixel_right_ends_at_the_edge_of_the_search_and_says_so() -> None:
    validation = pixels()
    sure = ValidationPixels(
        np.where(validation.glacier, 1.0, -1.0)[:, None].astype(np.float32),
        validation.glacier,
        validation.block,
        validation.scene,
    )
    model, _ = c.calibrate(sure, sure, params())
    assert model.temperature == pytest.approx(c.TEMPERATURES[0], rel=1e-3)
    assert "at the edge" in model.temperature_rule


def test_a_planted_bias_is_undone_by_the_threshold() -> None:
    """Logits are 0.4 too high: at 0.5 too much is mapped, at the threshold as much as is labelled."""
    validation = pixels(bias=0.4)
    model, _ = c.calibrate(validation, no_pixels(), params())
    probability = c.mean_probability(validation.logit, model.temperature)
    assert (probability >= 0.5).sum() > 1.05 * validation.glacier.sum()
    assert (probability >= model.threshold).sum() == pytest.approx(validation.glacier.sum(), rel=1e-3)
    assert model.threshold_rule == c.ZERO_BIAS_RULE


@pytest.mark.parametrize(("bias", "bound"), [(4.0, 0.8), (-4.0, 0.2)])
def test_the_threshold_is_bounded_and_says_so(bias: float, bound: float) -> None:
    model, _ = c.calibrate(pixels(bias=bias), no_pixels(), params())
    assert model.threshold == bound
    assert "bounded (unbounded: 0." in model.threshold_rule


def test_a_given_threshold_is_kept() -> None:
    model, _ = c.calibrate(pixels(bias=4.0), no_pixels(), params(threshold=0.9))
    assert (model.threshold, model.threshold_rule) == (0.9, c.GIVEN_RULE)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 500), share=st.floats(0, 1))
def test_no_threshold_is_less_biased(seed: int, count: int, share: float) -> None:
    probability = np.random.default_rng(seed).random(count)
    labelled = round(share * count)
    threshold = c.zero_bias_threshold(
        np.bincount((probability * c.LEVELS).astype(int), minlength=c.LEVELS + 1), labelled
    )
    levels = np.arange(c.LEVELS + 1) / c.LEVELS
    off = np.abs((probability[:, None] >= levels).sum(axis=0) - labelled)
    assert abs(int((probability >= threshold).sum()) - labelled) == off.min()


def test_a_block_is_mapped_at_the_threshold_of_the_others() -> None:
    """Two blocks biased against each other: each at the other's threshold, so that their errors are not hidden."""
    first, second = pixels(30_000, bias=1.0, blocks=1, seed=1), pixels(30_000, bias=-1.0, blocks=1, seed=2)
    second = ValidationPixels(second.logit, second.glacier, second.block + 1, second.scene)
    own = [c.calibrate(block, no_pixels(), params(calibrate=False))[0].threshold for block in (first, second)]
    both = join([first, second])
    probability = c.mean_probability(both.logit, 1.0)
    mapped = c.map_leave_one_block_out(probability, both)
    assert own[1] < 0.4
    assert own[0] > 0.6
    assert (mapped == (probability >= np.where(both.block == 0, own[1], own[0]))).all()
    assert mapped[both.block == 0].sum() > 1.2 * first.glacier.sum()


def test_years_of_a_block_are_one_unit() -> None:
    validation = pixels(blocks=3)
    years = ValidationPixels(validation.logit, validation.glacier, validation.block, np.arange(len(validation)) % 4)
    _, error = c.calibrate(years, no_pixels(), params())
    assert error is not None
    assert error.blocks == 3
    assert error.dispersion < 3  # pixels are independent here
    assert error.factor_68 is not None and error.factor_95 is None


def test_overlapping_windows_count_each_pixel_once() -> None:
    """Two 2 x 2 windows that share a column: its logits are averaged, and what is labelled 255 is left out."""
    values = np.array([[[1, 2], [3, 4]], [[6, 7], [8, 9]]], dtype=np.float32)[..., None]
    label = np.array([[[1, 0], [255, 1]], [[0, 1], [1, 255]]], dtype=np.uint8)
    pixel, mean, labels = once_each(values, label, np.array([0, 0]), np.array([0, 1]), np.zeros((3, 4)))
    assert pixel.tolist() == [0, 1, 2, 5]
    assert mean[:, 0].tolist() == [1, (2 + 6) / 2, 7, (4 + 8) / 2]
    assert labels.tolist() == [1, 0, 1, 1]


def test_windows_that_reach_beyond_the_grid_keep_their_place() -> None:
    values = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    label = np.full((1, 3, 3), 255, dtype=np.uint8)
    label[0, 1:, 1:] = 1
    pixel, mean, _ = once_each(values, label, np.array([-1]), np.array([-1]), np.zeros((2, 2)))
    assert pixel.tolist() == [0, 1, 2, 3]
    assert mean[:, 0].tolist() == [4, 5, 7, 8]
