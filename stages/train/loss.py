"""Loss and metric that leave pixels of the ignore label out."""

from __future__ import annotations

from typing import Any

import keras

from stages.common.tables.kinds import IGNORE


def split_labels(labels: Any) -> tuple[Any, Any]:
    """Return target (0 or 1, zero where ignored) and weight (1, or 0 where ignored), both float32."""
    ops = keras.ops
    labels = ops.cast(labels, "float32")
    weight = ops.cast(ops.not_equal(labels, float(IGNORE)), "float32")
    return labels * weight, weight


def masked_bce(target: Any, weight: Any, probability: Any, *, smoothing: float = 0.0, epsilon: float = 1e-6) -> Any:
    """Return the mean binary cross-entropy in nats over weighted pixels.

    ``smoothing`` s moves the targets 0 and 1 to s / 2 and 1 - s / 2.
    """
    ops = keras.ops
    target = target * (1.0 - smoothing) + 0.5 * smoothing
    p = ops.clip(probability, epsilon, 1.0 - epsilon)
    nats = -(target * ops.log(p) + (1.0 - target) * ops.log(1.0 - p))
    return ops.sum(nats * weight) / ops.maximum(ops.sum(weight), 1.0)


def masked_dice(target: Any, weight: Any, probability: Any, *, smooth_px: float = 1.0) -> Any:
    """Return one minus the soft Dice coefficient, pooled over the batch, in [0, 1].

    Notes
    -----
    Milletari et al. (2016), V-Net, equation 2, in the form of plain (not squared) sums, with
    ``smooth_px`` added to both sides so that empty batches have a value.
    """
    ops = keras.ops
    both = ops.sum(target * probability * weight)
    total = ops.sum((target + probability) * weight)
    return 1.0 - (2.0 * both + smooth_px) / (total + smooth_px)


@keras.saving.register_keras_serializable(package="glacier")
class MaskedBceDice(keras.losses.Loss):  # type: ignore[misc]
    """``bce_weight * BCE + dice_weight * (1 - soft Dice)``, ignoring pixels labelled 255.

    Parameters
    ----------
    bce_weight, dice_weight
        Non-negative weights of the two terms.
    smoothing
        Label smoothing of the BCE term, in [0, 1).

    Notes
    -----
    Labels are ``(N, H, W, 1)`` of 0, 1 or 255, probabilities ``(N, H, W, 1)`` in [0, 1].
    """

    def __init__(
        self,
        *,
        bce_weight: float = 1.0,
        dice_weight: float = 1.0,
        smoothing: float = 0.0,
        name: str = "bce_dice",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.bce_weight = bce_weight
        self.dice_weight = dice_weight
        self.smoothing = smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the scalar loss of a batch."""
        target, weight = split_labels(y_true)
        y_pred = keras.ops.cast(y_pred, "float32")
        bce = masked_bce(target, weight, y_pred, smoothing=self.smoothing)
        return self.bce_weight * bce + self.dice_weight * masked_dice(target, weight, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"bce_weight": self.bce_weight, "dice_weight": self.dice_weight, "smoothing": self.smoothing}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="glacier")
class MaskedIoU(keras.metrics.Metric):  # type: ignore[misc]
    """Glacier intersection over union, pooled over all pixels not labelled 255.

    Parameters
    ----------
    threshold
        A pixel is glacier where its probability is at least this.
    """

    def __init__(self, *, threshold: float = 0.5, name: str = "iou", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.both = self.add_weight(name="both", initializer="zeros", dtype="float32")
        self.either = self.add_weight(name="either", initializer="zeros", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch; ``sample_weight`` is not used."""
        ops = keras.ops
        target, weight = split_labels(y_true)
        hit = ops.cast(ops.greater_equal(y_pred, self.threshold), "float32") * weight
        both = ops.sum(hit * target)
        self.both.assign_add(both)
        self.either.assign_add(ops.sum(hit) + ops.sum(target) - both)

    def result(self) -> Any:
        """Return the IoU, 0 where there is neither label nor map."""
        return self.both / keras.ops.maximum(self.either, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "threshold": self.threshold}
