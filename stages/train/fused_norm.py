"""Batch normalisation as one operation of TensorFlow, for fitting."""

from __future__ import annotations

from typing import Any

import keras


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Normalise (N, H, W, C) by batch as Keras does, in one operation instead of seven.

    Weights, their order and the answers are those of `keras.layers.BatchNormalization`, but for the rounding of sums,
    and for the moving variance: here it is the unbiased one, which is larger by 1 / (N x H x W - 1) of itself. A net
    that has been fitted with this layer is used with Keras's own, which other tools can read.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised values in the type of the layer; in training, move mean and variance as well."""
        import tensorflow as tf

        if not training:
            return super().call(inputs, training=False)
        values, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=keras.ops.cast(inputs, "float32"),
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, of_batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + of_batch * (1.0 - self.momentum))
        return keras.ops.cast(values, self.compute_dtype)


def for_fitting(net: keras.Model) -> keras.Model:
    """Return a net of the same weights, in the same order, whose batch normalisation is fused."""

    def fused(layer: keras.layers.Layer) -> keras.layers.Layer:
        is_norm = type(layer) is keras.layers.BatchNormalization
        return (FusedBatchNormalization if is_norm else type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(net, clone_function=fused)
    copy.set_weights(net.get_weights())
    return copy
