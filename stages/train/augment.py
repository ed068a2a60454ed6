"""Stateless augmentation of one training patch: the same seed gives the same result.

Every function maps tensors to tensors, draws from :mod:`tf.random`'s stateless generators only, and
can be traced into a ``tf.data`` pipeline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from stages.common.tables.kinds import IGNORE


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Ranges of the random changes."""

    size_px: int = 128
    """Side of the square output."""
    rotation_deg: float = 180.0
    """Rotation is uniform in plus or minus this."""
    log2_scale: float = 0.25
    """Zoom is 2**u with u uniform in plus or minus this."""
    shift_px: float = 16.0
    """Translation of the centre, in input pixels, is uniform in plus or minus this."""
    flip: bool = True
    """Mirror in half of the cases."""
    mirror_azimuth_deg: float = 0.0
    """Direction of the mirror's axis, clockwise from up: 0 is left-right. At the sun's azimuth the
    mirror image is lit from the same side as the original."""
    gain: float = 0.1
    """All bands are multiplied by exp(u), u uniform in plus or minus this."""
    band_gain: float = 0.05
    """Each band is multiplied by its own such factor."""
    offset: float = 0.1
    """Uniform in plus or minus this, times ``std``, is added to all bands."""
    band_offset: float = 0.05
    """The same for each band."""
    hide_probability: float = 0.0
    """Share of patches in which one rectangle is hidden."""
    hide_max_px: int = 64
    """Largest side of that rectangle."""


def augment(image: Any, label: Any, visible: Any, seed: Any, *, std: Any, config: AugmentConfig) -> tuple[Any, Any]:
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
        ``(C,)`` float, units of ``image``: the scale of the offsets.
    config
        Ranges; ``size_px`` is the output's side T, at most S.

    Returns
    -------
    tuple
        Image ``(T, T, C)`` float32, NaN where not visible, and label ``(T, T, 1)`` uint8, 255 there.
    """
    seeds = tf.random.split(tf.cast(seed, tf.int32), 3)
    image, label, visible = warp(image, label, visible, seeds[0], config=config)
    image = jitter(image, seeds[1], std=std, config=config)
    hidden = _random_rectangle(config, seeds[2])
    return mask(image, label, tf.logical_and(visible, tf.logical_not(hidden)))


def mask(image: Any, label: Any, visible: Any) -> tuple[Any, Any]:
    """Set NaN and 255 where ``visible`` (boolean, ``(T, T)``) is false, and add the label's channel."""
    seen = visible[..., None]
    label = tf.where(seen, label[..., None], tf.constant(IGNORE, tf.uint8))
    return tf.where(seen, image, tf.constant(float("nan"), tf.float32)), label


def warp(image: Any, label: Any, visible: Any, seed: Any, *, config: AugmentConfig) -> tuple[Any, Any, Any]:
    """Rotate, zoom, shift and mirror.

    Bands are bilinear, labels nearest. A pixel is visible only where all four pixels that it is
    interpolated from are, so no hidden value gets in. Edges are mirrored.
    """
    seen = tf.cast(visible, tf.float32)[..., None]
    bands = tf.where(seen > 0, tf.cast(image, tf.float32), 0.0)
    transform = _projective(seed, input_px=image.shape[0], config=config)
    smooth = _resample(tf.concat([bands, seen], axis=-1), transform, config.size_px, "BILINEAR")
    classes = _resample(tf.cast(label, tf.float32)[..., None], transform, config.size_px, "NEAREST")
    return smooth[..., :-1], tf.cast(classes[..., 0], tf.uint8), smooth[..., -1] > 0.999


def jitter(image: Any, seed: Any, *, std: Any, config: AugmentConfig) -> Any:
    """Return the image with random gains and offsets, common and per band."""
    count = image.shape[-1]
    draw = tf.random.stateless_uniform([2, count + 1], seed, -1.0, 1.0)
    gain = tf.exp(config.gain * draw[0, 0] + config.band_gain * draw[0, 1:])
    offset = config.offset * draw[1, 0] + config.band_offset * draw[1, 1:]
    return image * gain + offset * tf.cast(std, tf.float32)


def _projective(seed: Any, *, input_px: int, config: AugmentConfig) -> Any:
    """Return the ``(1, 8)`` output-to-input transform of ``ImageProjectiveTransformV3``."""
    draw = tf.random.stateless_uniform([5], seed, -1.0, 1.0)
    angle = draw[0] * math.radians(config.rotation_deg)
    scale = tf.pow(2.0, config.log2_scale * draw[1])
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    (e, f), (g, h) = _mirror(tf.logical_and(config.flip, draw[4] > 0), config.mirror_azimuth_deg)
    a, b, c, d = cos * e - sin * g, cos * f - sin * h, sin * e + cos * g, sin * f + cos * h
    out, centre = (config.size_px - 1) / 2.0, (input_px - 1) / 2.0
    dx, dy = centre + config.shift_px * draw[2], centre + config.shift_px * draw[3]
    zero = tf.zeros([])
    return tf.stack([a, b, dx - (a + b) * out, c, d, dy - (c + d) * out, zero, zero])[None]


def _mirror(chosen: Any, azimuth_deg: float) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return the matrix of a reflection across an axis (x right, y down), or identity if not chosen.

    For the axis u = (sin a, -cos a) it is 2 u u^T - I.
    """
    cos2, sin2 = (f(2.0 * math.radians(azimuth_deg)) for f in (math.cos, math.sin))
    diagonal, other = tf.where(chosen, -cos2, 1.0), tf.where(chosen, -sin2, 0.0)
    return (diagonal, other), (other, tf.where(chosen, cos2, 1.0))


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


def _random_rectangle(config: AugmentConfig, seed: Any) -> Any:
    """Return ``(T, T)`` boolean, true inside a rectangle that is drawn at ``hide_probability``."""
    draw = tf.random.stateless_uniform([5], seed)
    sides = draw[0:2] * config.hide_max_px
    origin = draw[2:4] * (config.size_px - sides)
    index = tf.range(config.size_px, dtype=tf.float32)
    rows = tf.logical_and(index >= origin[0], index < origin[0] + sides[0])
    columns = tf.logical_and(index >= origin[1], index < origin[1] + sides[1])
    chosen = draw[4] < config.hide_probability
    return tf.logical_and(chosen, tf.logical_and(rows[:, None], columns[None, :]))
