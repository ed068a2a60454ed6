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


def sure_pixels() -> ValidationPixels:
    validation = pixels()
    sure = np.where(validation.glacier, 1.0, -1.0)[:, None].astype(np.float32)
    return ValidationPixels(sure, validation.glacier, validation.block, validation.scene)


def test_blocks_with_nothing_hard_give_no_temperature_and_no_error_of_areas() -> None:
    """Every pixel is right: the surer the better, and a dispersion of 0.0003 would be an error of 0.0 in every year."""
    model, error = c.calibrate(sure_pixels(), sure_pixels(), params())
    assert (model.temperature, model.temperature_rule) == (1.0, c.EDGE_RULE)
    assert error is None


def test_a_few_wrong_pixels_in_a_thousand_state_an_error() -> None:
    sure = sure_pixels()
    wrong = np.arange(len(sure)) % 500 == 0
    flipped = ValidationPixels(np.where(wrong[:, None], -sure.logit, sure.logit), sure.glacier, sure.block, sure.scene)
    model, error = c.calibrate(flipped, flipped, params())
    assert model.temperature_rule == c.FITTED_RULE
    assert error is not None and error.dispersion > 0.1


def test_a_temperature_that_fits_other_blocks_worse_is_not_kept() -> None:
    """Calibration blocks too sure of themselves by 3, validation blocks right as they are."""
    model, _ = c.calibrate(pixels(seed=1), pixels(temperature=3.0), params())
    assert model.temperature == 1.0
    assert model.temperature_rule.startswith("as fitted: the temperature of the calibration blocks (")
    assert model.ece == model.ece_as_fitted


def test_a_planted_bias_is_undone_by_the_threshold() -> None:
    """Logits are 0.4 too high: at 0.5 too much is mapped, at the threshold as much as is labelled."""
    validation = pixels(bias=0.4)
    model, _ = c.calibrate(validation, no_pixels(), params())
    probability = c.mean_probability(validation.logit, model.temperature)
    assert (probability >= 0.5).sum() > 1.05 * validation.glacier.sum()
    assert (probability >= model.threshold).sum() == pytest.approx(validation.glacier.sum(), rel=1e-3)
    assert model.threshold_rule == c.ZERO_BIAS_RULE


@pytest.mark.parametrize(("bias", "low", "high"), [(4.0, 0.9, 0.999), (-4.0, 0.001, 0.1)])
def test_a_bias_of_all_blocks_is_undone_however_large(bias: float, low: float, high: float) -> None:
    """No bound: at 0.8 the area would be that of the bound."""
    validation = pixels(bias=bias)
    model, _ = c.calibrate(validation, no_pixels(), params())
    assert low < model.threshold < high
    mapped = c.maps(c.mean_probability(validation.logit, model.temperature), model.threshold)
    assert mapped.sum() == pytest.approx(validation.glacier.sum(), rel=0.01)
    assert model.threshold_rule == c.ZERO_BIAS_RULE


def test_a_threshold_that_blocks_disagree_about_is_not_taken() -> None:
    """Two blocks, one far too much ice and one a little too little: by the other's threshold each is far off."""
    first, second = pixels(30_000, bias=3.0, blocks=1, seed=1), pixels(3_000, bias=-1.0, blocks=1, seed=2)
    second = ValidationPixels(second.logit, second.glacier, second.block + 1, second.scene)
    model, _ = c.calibrate(join([first, second]), no_pixels(), params())
    assert model.threshold == c.HALF
    assert model.threshold_rule.startswith("one half: 0.9")


def test_a_single_block_is_mapped_at_one_half() -> None:
    _, error = c.calibrate(pixels(blocks=1), no_pixels(), params())
    assert error is not None and error.blocks == 1
    probability = c.mean_probability(pixels(blocks=1).logit, 1.0)
    assert (c.map_leave_one_block_out(probability, pixels(blocks=1)) == (probability >= 0.5)).mean() > 0.9999


def test_a_pixel_is_mapped_by_the_level_that_it_is_stored_as() -> None:
    """0.79996 is stored as 8000 and reaches 0.8, as in `predict`; its level is 8000 and not 7999."""
    probability = np.array([0.79994, 0.79996, 0.80004])
    assert c.maps(probability, 0.8).tolist() == [False, True, True]
    assert c._level(probability).tolist() == [7999, 8000, 8000]
    assert c._level(np.array([0.00004, 0.99996])).tolist() == [0, 10_000]


def test_a_given_threshold_is_kept() -> None:
    model, _ = c.calibrate(pixels(bias=4.0), no_pixels(), params(threshold=0.9))
    assert (model.threshold, model.threshold_rule) == (0.9, c.GIVEN_RULE)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 500), share=st.floats(0, 1))
def test_no_threshold_is_less_biased(seed: int, count: int, share: float) -> None:
    probability = np.random.default_rng(seed).random(count)
    labelled = round(share * count)
    stored = c._level(probability)
    threshold = c.zero_bias_threshold(np.bincount(stored, minlength=c.LEVELS + 1), labelled)
    off = np.abs((stored[:, None] >= np.arange(1, c.LEVELS)).sum(axis=0) - labelled)
    assert abs(int(c.maps(probability, threshold).sum()) - labelled) == off.min()


def test_a_block_is_mapped_at_the_threshold_of_the_others() -> None:
    """Two blocks biased against each other: each at the other's threshold, so that their errors are not hidden."""
    first, second = pixels(30_000, bias=1.0, blocks=1, seed=1), pixels(30_000, bias=-1.0, blocks=1, seed=2)
    second = ValidationPixels(second.logit, second.glacier, second.block + 1, second.scene)
    own = [
        c.zero_bias_threshold(
            np.bincount(c._level(c.mean_probability(block.logit, 1.0)), minlength=c.LEVELS + 1),
            int(block.glacier.sum()),
        )
        for block in (first, second)
    ]
    both = join([first, second])
    probability = c.mean_probability(both.logit, 1.0)
    mapped = c.map_leave_one_block_out(probability, both)
    assert own[1] < 0.4
    assert own[0] > 0.6
    assert (mapped == np.where(both.block == 0, c.maps(probability, own[1]), c.maps(probability, own[0]))).all()
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
