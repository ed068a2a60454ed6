"""The net that is fitted has the weights and the answers of the net that is used."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of third parties, while they load
    import keras
    import tensorflow as tf

from stages.train.fused_norm import FusedBatchNormalization, for_fitting
from stages.train.model import build_unet


def net() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_unet(bands=2, mean=[0.0] * 2, std=[1.0] * 2, base=4, depth=2, stem="half")


def pixels() -> tf.Tensor:
    return tf.constant(np.random.default_rng(1).normal(0, 1, (2, 128, 128, 2)).astype(np.float32))


def test_the_copy_has_the_same_weights_in_the_same_order() -> None:
    plain = net()
    copy = for_fitting(plain)
    assert sum(isinstance(layer, FusedBatchNormalization) for layer in copy.layers) == 2 * (2 * 2 + 1) + 2
    assert [weight.path for weight in copy.weights] == [weight.path for weight in plain.weights]
    assert all((a == b).all() for a, b in zip(copy.get_weights(), plain.get_weights(), strict=True))
    assert (copy(pixels(), training=False) == plain(pixels(), training=False)).numpy().all()


def test_answers_gradients_and_moving_statistics_are_those_of_keras() -> None:
    plain, values = net(), pixels()
    copy, found = for_fitting(plain), []
    for each in (plain, copy):
        with tf.GradientTape() as tape:
            answer = each(values, training=True)
            loss = tf.reduce_mean(answer**2)
        gradients = tape.gradient(loss, each.trainable_variables)
        found.append([answer, *gradients, *each.non_trainable_variables])
    for ours, theirs in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 3, 7)])
def test_the_moving_variance_is_the_unbiased_one(shape: tuple[int, int, int]) -> None:
    layer = FusedBatchNormalization(momentum=0.75)
    values = np.random.default_rng(2).normal(3, 2, (*shape, 1)).astype(np.float32)
    layer(values, training=True)
    assert float(layer.moving_mean[0]) == pytest.approx(0.25 * values.mean(), rel=1e-5)
    assert float(layer.moving_variance[0]) == pytest.approx(0.75 + 0.25 * values.var(ddof=1), rel=1e-5)


def test_in_bfloat16_sums_are_taken_in_float32() -> None:
    layer = FusedBatchNormalization(dtype="mixed_bfloat16")
    values = tf.cast(tf.fill([1, 40, 40, 1], 1.0) + tf.eye(40)[None, :, :, None], tf.bfloat16)
    answer = layer(values, training=True)
    assert answer.dtype == tf.bfloat16
    assert float(layer.moving_mean[0]) == pytest.approx(0.01 * (1 + 1 / 40), rel=1e-4)
