"""Loss, metric, network and augmentation, against known answers. TensorFlow loads once for all of them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of third parties, while they load
    import keras
    import tensorflow as tf

from stages.common.params.learning import AugmentationParams, TrainParams
from stages.train.augment import augment
from stages.train.fit import _optimiser, _schedule
from stages.train.loss import MaskedBceDice, MaskedIoU
from stages.train.model import NormaliseWithValidity, build_unet, receptive_field_radius_px, stride_px

STILL = AugmentationParams(
    rotation_deg=0, log2_scale=0, shift_px=0, flip=False, gain=0, band_gain=0, offset=0, band_offset=0,
    hide_probability=0,
)  # fmt: skip


def labels(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint8).reshape(1, 1, -1, 1)


def probabilities(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(1, 1, -1, 1)


def test_loss_known_answer() -> None:
    loss = float(MaskedBceDice()(labels([1, 0]), probabilities([0.8, 0.4])))
    bce = -(math.log(0.8) + math.log(0.6)) / 2
    dice = 1 - (2 * 0.8 + 1) / (1 + 1.2 + 1)
    assert loss == pytest.approx(bce + dice, rel=1e-5)


def test_ignored_pixels_change_neither_loss_nor_metric() -> None:
    loss, metric = MaskedBceDice(), MaskedIoU()
    base = float(loss(labels([1, 0, 255]), probabilities([0.8, 0.4, 0.1])))
    assert float(loss(labels([1, 0, 255]), probabilities([0.8, 0.4, 0.99]))) == pytest.approx(base)
    metric.update_state(labels([1, 0, 1, 255]), probabilities([0.9, 0.6, 0.2, 0.9]))
    assert float(metric.result()) == pytest.approx(1 / 3)


def test_a_batch_of_ignored_pixels_has_a_finite_loss() -> None:
    assert math.isfinite(float(MaskedBceDice()(labels([255, 255]), probabilities([0.3, 0.9]))))


def test_invalid_pixels_are_zero_after_normalising_and_marked() -> None:
    layer = NormaliseWithValidity(mean=[100.0, 50.0], std=[10.0, 5.0])
    pixels = np.array([[[[110.0, 45.0], [np.nan, 45.0]]]], dtype=np.float32)
    assert np.allclose(layer(pixels), [[[[1, -1, 1], [0, 0, 0]]]])


@pytest.mark.parametrize(("stem", "depth"), [("full", 2), ("half", 2), ("half", 1)])
def test_receptive_field_is_what_a_changed_pixel_reaches(stem: str, depth: int) -> None:
    keras.utils.set_random_seed(0)
    model = build_unet(bands=1, mean=[0.0], std=[1.0], base=4, depth=depth, stem=stem)
    radius, stride = receptive_field_radius_px(depth=depth, stem=stem), stride_px(depth=depth, stem=stem)
    side = 4 * stride * math.ceil((2 * radius + stride) / (4 * stride))
    pixels = np.random.default_rng(0).normal(0, 1, (1, side, side, 1)).astype(np.float32)
    before, reach = model(pixels), 0
    for shift in range(stride):
        changed = pixels.copy()
        changed[0, side // 2 + shift, side // 2] += 100
        rows = np.nonzero(np.abs(model(changed) - before)[0, ..., 0] > 0)[0]
        reach = max(reach, int(np.abs(rows - side // 2 - shift).max()))
    assert 0.8 * radius <= reach <= radius


def example(size: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.integers(1, 255, (size, size, 3)).astype(np.uint8)
    label = rng.integers(0, 2, (size, size)).astype(np.uint8)
    visible = np.ones((size, size), dtype=np.uint8)
    visible[:, :6] = 0
    return image, label, visible


def test_without_change_augmentation_is_the_middle_of_the_patch() -> None:
    image, label, visible = example()
    pixels, classes = augment(image, label, visible, tf.constant([1, 2]), std=[1.0] * 3, size_px=16, params=STILL)
    assert np.allclose(pixels[:, 2:], image[4:20, 6:20], atol=1e-3)
    assert (classes.numpy()[:, 2:, 0] == label[4:20, 6:20]).all()
    assert np.isnan(pixels[:, :2]).all() and (classes.numpy()[:, :2] == 255).all()


def test_the_same_seed_gives_the_same_patch_and_another_another() -> None:
    params = AugmentationParams(hide_probability=0.5, hide_max_px=8)
    patches = [
        augment(*example(), tf.constant(seed), std=[50.0] * 3, size_px=16, params=params)[0].numpy()
        for seed in ([1, 2], [1, 2], [1, 3])
    ]
    assert np.array_equal(patches[0], patches[1], equal_nan=True)
    assert not np.array_equal(patches[0], patches[2], equal_nan=True)


def test_light_changes_no_band_of_terrain() -> None:
    """The third band is terrain: its `std` counts as 0."""
    image, label, visible = example()
    params = AugmentationParams(
        rotation_deg=0, log2_scale=0, shift_px=0, flip=False, hide_probability=0, gain=0.5, band_gain=0.5, offset=0.5
    )
    pixels = augment(image, label, visible, tf.constant([1, 2]), std=[50.0, 50.0, 0.0], size_px=16, params=params)[0]
    changed = np.abs(pixels.numpy()[:, 2:] - image[4:20, 6:20]).max(axis=(0, 1))
    assert (changed[:2] > 1).all() and changed[2] < 1e-3


def test_hidden_pixels_never_get_in() -> None:
    """Whatever is hidden has the value 255 here, and everything visible is 10: no mixture of them may appear."""
    image = np.full((48, 48, 3), 10, dtype=np.uint8)
    visible = np.ones((48, 48), dtype=np.uint8)
    visible[20:30, 15:40] = 0
    image[visible == 0] = 255
    params = AugmentationParams(rotation_deg=180, gain=0, band_gain=0, offset=0, band_offset=0, hide_probability=0)
    for seed in range(20):
        pixels, classes = augment(
            image, visible, visible, tf.constant([seed, 0]), std=[1.0] * 3, size_px=32, params=params
        )
        values = pixels.numpy()
        assert np.allclose(values[np.isfinite(values)], 10, atol=1e-2)
        assert (classes.numpy()[np.isnan(values[..., 0])] == 255).all()


@pytest.mark.parametrize(("schedule", "last"), [("cosine", 1e-5), ("constant", 1e-3)])
def test_schedule_warms_up_and_ends_where_it_says(schedule: str, last: float) -> None:
    params = TrainParams(epochs=10, steps_per_epoch=10, patience_epochs=1, learning_rate=1e-3, schedule=schedule)
    rate = _schedule(params, 100)
    assert float(rate(0)) == pytest.approx(1e-5, rel=1e-3)
    assert float(rate(10)) == pytest.approx(1e-3, rel=1e-3)
    assert float(rate(100)) == pytest.approx(last, rel=1e-3)


@pytest.mark.parametrize("name", ["adamw", "lion", "sgd"])
def test_every_optimiser_moves_weights_and_decays_kernels_only(name: str) -> None:
    params = TrainParams(epochs=1, steps_per_epoch=10, patience_epochs=1, optimiser=name, weight_decay=0.5)
    kernel, bias = keras.Variable([1.0], name="kernel"), keras.Variable([1.0], name="bias")
    optimiser = _optimiser(params, 10)
    for _ in range(5):
        optimiser.apply([tf.constant([0.0]), tf.constant([0.0])], [kernel, bias])
    assert float(kernel[0]) < 1.0
    assert float(bias[0]) == 1.0
