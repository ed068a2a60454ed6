"""Stateless augmentation of one training patch: the same seed gives the same result.

Every function maps tensors to tensors, draws from :mod:`tf.random`'s stateless generators only, and
can be traced into a ``tf.data`` pipeline.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from stages.common.params.learning import AugmentationParams
from stages.common.tables.kinds import IGNORE


def augment(
    image: Any, label: Any, visible: Any, seed: Any, *, std: Any, size_px: int, params: AugmentationParams
) -> tuple[Any, Any]:
    """Return one augmented training pair.

    Parameters
    ----------
    image
        ``(S, S, C)`` numeric, in the model's input units; any value where not visible.
    label
        ``(S, S)`` uint8: 0, 1 or 255 (ignored).
    visible
        ``(S, S)`` uint8: 1 where image and label may be used, else 0.
    seed
        ``(2,)`` int32 or int64.
    std
        ``(C,)`` float, units of ``image``: the scale of the offsets; 0 for a band that light does not change.
    size_px
        Side T of the output, at most S.
    params
        Ranges of the random changes.

    Returns
    -------
    tuple
        Image ``(T, T, C)`` float32, NaN where not visible, and label ``(T, T, 1)`` uint8, 255 there.
    """
    seeds = tf.random.split(tf.cast(seed, tf.int32), 3)
    image, label, visible = warp(image, label, visible, seeds[0], size_px=size_px, params=params)
    image = jitter(image, seeds[1], std=std, params=params)
    hidden = _random_rectangle(params, seeds[2], size_px=size_px)
    return mask(image, label, tf.logical_and(visible, tf.logical_not(hidden)))


def mask(image: Any, label: Any, visible: Any) -> tuple[Any, Any]:
    """Set NaN and 255 where ``visible`` (boolean, ``(T, T)``) is false, and add the label's channel."""
    visible = visible[..., None]
    label = tf.where(visible, label[..., None], tf.constant(IGNORE, tf.uint8))
    return tf.where(visible, image, tf.constant(float("nan"), tf.float32)), label


def warp(
    image: Any, label: Any, visible: Any, seed: Any, *, size_px: int, params: AugmentationParams
) -> tuple[Any, Any, Any]:
    """Rotate, zoom, shift and mirror image, label and visibility.

    Bands are bilinear, labels nearest. A pixel is visible only where all four pixels that it is
    interpolated from are visible, so no hidden value gets in. Edges are mirrored.
    """
    weight = tf.cast(visible, tf.float32)[..., None]
    bands = tf.where(weight > 0, tf.cast(image, tf.float32), 0.0)
    transform = _projective(seed, input_px=image.shape[0], size_px=size_px, params=params)
    smooth = _resample(tf.concat([bands, weight], axis=-1), transform, size_px, "BILINEAR")
    classes = _resample(tf.cast(label, tf.float32)[..., None], transform, size_px, "NEAREST")
    return smooth[..., :-1], tf.cast(classes[..., 0], tf.uint8), smooth[..., -1] > 0.999


def jitter(image: Any, seed: Any, *, std: Any, params: AugmentationParams) -> Any:
    """Return the image with random gains and offsets, common and per band; bands whose `std` is 0 stay as they are."""
    count = image.shape[-1]
    draw = tf.random.stateless_uniform([2, count + 1], seed, -1.0, 1.0)
    gain = tf.exp(params.gain * draw[0, 0] + params.band_gain * draw[0, 1:])
    offset = params.offset * draw[1, 0] + params.band_offset * draw[1, 1:]
    scale = tf.cast(std, tf.float32)
    return image * tf.where(scale > 0, gain, 1.0) + offset * scale


def _projective(seed: Any, *, input_px: int, size_px: int, params: AugmentationParams) -> Any:
    """Return the ``(1, 8)`` output-to-input transform of ``ImageProjectiveTransformV3``."""
    draw = tf.random.stateless_uniform([5], seed, -1.0, 1.0)
    angle = draw[0] * math.radians(params.rotation_deg)
    scale = tf.pow(2.0, params.log2_scale * draw[1])
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    (e, f), (g, h) = _mirror(tf.logical_and(params.flip, draw[4] > 0), params.mirror_azimuth_deg)
    a, b, c, d = cos * e - sin * g, cos * f - sin * h, sin * e + cos * g, sin * f + cos * h
    out, centre = (size_px - 1) / 2.0, (input_px - 1) / 2.0
    dx, dy = centre + params.shift_px * draw[2], centre + params.shift_px * draw[3]
    zero = tf.zeros([])
    return tf.stack([a, b, dx - (a + b) * out, c, d, dy - (c + d) * out, zero, zero])[None]


def _mirror(chosen: Any, azimuth_deg: float) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return the matrix of a reflection across an axis (x right, y down), or identity if not chosen.

    For the axis u = (sin a, -cos a) it is 2 u u^T - I.
    """
    cos2, sin2 = (f(2.0 * math.radians(azimuth_deg)) for f in (math.cos, math.sin))
    first, off_diagonal = tf.where(chosen, -cos2, 1.0), tf.where(chosen, -sin2, 0.0)
    return (first, off_diagonal), (off_diagonal, tf.where(chosen, cos2, 1.0))


def _resample(image: Any, transform: Any, size_px: int, interpolation: str) -> Any:
    """Apply a projective transform to one ``(S, S, K)`` float32 image."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=transform,
        output_shape=[size_px, size_px],
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="REFLECT",
    )[0]


def _random_rectangle(params: AugmentationParams, seed: Any, *, size_px: int) -> Any:
    """Return ``(T, T)`` boolean, true inside a rectangle that is drawn with the chance ``hide_probability``."""
    draw = tf.random.stateless_uniform([5], seed)
    sides = draw[0:2] * params.hide_max_px
    origin = draw[2:4] * (size_px - sides)
    index = tf.range(size_px, dtype=tf.float32)
    rows = tf.logical_and(index >= origin[0], index < origin[0] + sides[0])
    columns = tf.logical_and(index >= origin[1], index < origin[1] + sides[1])
    chosen = draw[4] < params.hide_probability
    return tf.logical_and(chosen, tf.logical_and(rows[:, None], columns[None, :]))
