"""Fully convolutional segmentation network whose output depends on a finite window.

The network has no operation of global extent, so its value at a pixel depends only on the pixels
within :func:`receptive_field_radius_px`, and it commutes with shifts by :func:`stride_px`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras

Stem = Literal["full", "half"]
"""``full``: the first level works at full resolution; ``half``: at half, with a light full-resolution head."""

Interval = tuple[int, int]

STEM_FILTERS = 8
"""Filters of the full-resolution stem and head of ``half``."""

MAX_FILTERS = 256
"""Bound on the filters of a level."""

CONVOLUTIONS = 2
"""3 x 3 convolutions of a block."""

BATCH_NORM_MOMENTUM = 0.95
"""Share of the moving mean and variance that a batch leaves as it was."""


@keras.saving.register_keras_serializable(package="glacier")
class NormaliseWithValidity(keras.layers.Layer):  # type: ignore[misc]
    """Standardise bands, replace NaN by zero (the mean) and append a validity channel.

    Parameters
    ----------
    mean, std
        One value per band, in the units of the input; ``std`` must be positive.

    Notes
    -----
    Maps ``(N, H, W, C)`` with NaN where a band is invalid to ``(N, H, W, C + 1)`` without NaN. The last
    channel is 1 where every band is valid and 0 elsewhere; all bands are 0 where it is 0.
    """

    def __init__(self, *, mean: Sequence[float], std: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(mean) != len(std) or min(std) <= 0:
            raise ValueError("mean and std must have the same length and std must be positive")
        self.mean = [float(value) for value in mean]
        self.std = [float(value) for value in std]

    def call(self, inputs: Any) -> Any:
        """Return the standardised bands and the validity channel."""
        ops = keras.ops
        missing = ops.isnan(inputs)
        # The converter to ONNX keeps a NaN-safe Where only if its condition is IsNaN itself.
        finite = ops.where(missing, ops.zeros_like(inputs), inputs)
        valid = ops.cast(ops.logical_not(ops.any(missing, axis=-1, keepdims=True)), inputs.dtype)
        mean = ops.convert_to_tensor(self.mean, inputs.dtype)
        std = ops.convert_to_tensor(self.std, inputs.dtype)
        return ops.concatenate([(finite - mean) / std * valid, valid], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape with one channel more."""
        return (*input_shape[:-1], len(self.mean) + 1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mean": self.mean, "std": self.std}


def stride_px(*, depth: int, stem: Stem) -> int:
    """Return the total stride in pixels: shifts by its multiples commute with the network."""
    return int(2 ** (depth + (1 if stem == "half" else 0)))


def receptive_field_radius_px(*, depth: int, stem: Stem) -> int:
    """Return the largest distance in pixels, along rows or columns, from an output to an input it reads.

    Parameters
    ----------
    depth, stem
        As in :func:`build_unet`.

    Returns
    -------
    int
        The maximum over all output positions within one total stride.

    Notes
    -----
    Interval arithmetic on the deepest path; no skip connection reads further. A 3 x 3 convolution
    widens an interval by 1, a 2 x 2 up-sampling halves it and a 2 x 2 pooling doubles it.
    """
    stride = stride_px(depth=depth, stem=stem)
    reads = ((row, _interval_read(row, depth, stem)) for row in range(stride))
    return max(max(row - low, high - row) for row, (low, high) in reads)


def _interval_read(row: int, depth: int, stem: Stem) -> Interval:
    """Return the inclusive interval of input rows that output ``row`` depends on."""
    half = stem == "half"
    interval = _up(_widen((row, row), 1)) if half else (row, row)
    for _ in range(depth):
        interval = _up(_widen(interval, CONVOLUTIONS))
    interval = _widen(interval, CONVOLUTIONS)
    for _ in range(depth):
        interval = _widen(_down(interval), CONVOLUTIONS)
    return _widen(_down(interval), 1) if half else interval


def _widen(interval: Interval, by: int) -> Interval:
    return interval[0] - by, interval[1] + by


def _up(interval: Interval) -> Interval:
    return interval[0] // 2, interval[1] // 2


def _down(interval: Interval) -> Interval:
    return 2 * interval[0], 2 * interval[1] + 1


def flops_per_pixel(model: keras.Model) -> float:
    """Return the floating-point operations per input pixel (2 per multiply-add) of all convolutions."""
    side = 256
    probe = keras.Model(model.inputs, [layer.output for layer in _convolutions(model)])
    shapes = list(probe.compute_output_shape((1, side, side, model.input_shape[-1])))
    return sum(_flops(layer, shape) / side**2 for layer, shape in zip(_convolutions(model), shapes, strict=True))


def _convolutions(model: keras.Model) -> list[Any]:
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def _flops(layer: Any, output_shape: Sequence[int]) -> float:
    """Return the operations of one layer whose transposed kernels do not overlap."""
    _, height, width, _ = output_shape
    weights = 1
    for size in layer.kernel.shape:
        weights *= int(size)
    taps = weights / layer.strides[0] ** 2 if isinstance(layer, keras.layers.Conv2DTranspose) else weights
    return 2.0 * height * width * taps


def build_unet(
    *,
    bands: int,
    mean: Sequence[float],
    std: Sequence[float],
    base: int,
    depth: int,
    stem: Stem,
    dropout: float = 0.0,
) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    bands
        Number of input bands C.
    mean, std
        Per band, from training pixels only, in the units of the input.
    base
        Filters of the first U-Net level; each level doubles them up to `MAX_FILTERS`.
    depth
        Number of 2 x 2 poolings in the U-Net (one more halving comes with ``stem="half"``).
    stem
        See :data:`Stem`.
    dropout
        Share of channels dropped, in training, after the deepest block.

    Returns
    -------
    keras.Model
        Maps ``reflectance`` ``(N, H, W, C)`` float32, NaN where invalid, H and W multiples of
        :func:`stride_px`, to ``glacier`` ``(N, H, W, 1)`` float32 probability in [0, 1].

    Raises
    ------
    ValueError
        `mean` does not have one value per band.
    """
    if len(mean) != bands:
        raise ValueError(f"mean has {len(mean)} values for {bands} bands")
    filters = [min(base * 2**level, MAX_FILTERS) for level in range(depth + 1)]
    inputs = keras.Input((None, None, bands), dtype="float32", name="reflectance")
    x = NormaliseWithValidity(mean=mean, std=std, dtype="float32", name="normalise")(inputs)
    if stem == "half":
        fine, x = _half_stem(x, base)
    x = _u_path(x, filters, dropout)
    if stem == "half":
        x = _fine_head(x, fine)
    logit = keras.layers.Conv2D(1, 1, dtype="float32", name="logit")(x)
    outputs = keras.layers.Activation("sigmoid", dtype="float32", name="glacier")(logit)
    return keras.Model(inputs, outputs, name="unet")


def _convolve(x: Any, filters: int, name: str) -> Any:
    """Apply 3 x 3 convolution, batch normalisation and ReLU."""
    x = keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_norm")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


def _block(x: Any, filters: int, name: str) -> Any:
    """Apply the convolutions of a block."""
    for index in range(CONVOLUTIONS):
        x = _convolve(x, filters, f"{name}_{index}")
    return x


def _half_stem(x: Any, base: int) -> tuple[Any, Any]:
    """Return the full-resolution features and their 2 x 2, stride-2 convolution."""
    fine = _convolve(x, STEM_FILTERS, "stem")
    return fine, keras.layers.Conv2D(base, 2, strides=2, name="stem_down")(fine)


def _fine_head(x: Any, fine: Any) -> Any:
    """Return full-resolution features from half-resolution ones and the stem's."""
    x = keras.layers.Conv2DTranspose(STEM_FILTERS, 2, strides=2, name="head_up")(x)
    x = keras.layers.Concatenate(name="head_concat")([x, fine])
    return _convolve(x, STEM_FILTERS, "head")


def _u_path(x: Any, filters: Sequence[int], dropout: float) -> Any:
    """Contract and expand, with skip connections between equal levels."""
    skips = []
    for level, count in enumerate(filters[:-1]):
        x = _block(x, count, f"down{level}")
        skips.append(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{level}")(x)
    x = _block(x, filters[-1], "deepest")
    if dropout:
        x = keras.layers.SpatialDropout2D(dropout, name="dropout")(x)
    for level in reversed(range(len(skips))):
        x = keras.layers.Conv2DTranspose(filters[level], 2, strides=2, name=f"up{level}_scale")(x)
        x = keras.layers.Concatenate(name=f"up{level}_concat")([skips[level], x])
        x = _block(x, filters[level], f"up{level}")
    return x
