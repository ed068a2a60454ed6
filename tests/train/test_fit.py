"""Which weights a training keeps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of third parties, while they load
    from stages.train.fit import fit

from stages.common.params.learning import TrainParams
from stages.train.data import Patches, TrainingData, unchanged_batches
from stages.train.loss import MaskedBceDice

PARAMS = TrainParams(
    epochs=8,
    steps_per_epoch=5,
    patience_epochs=8,
    batch_size=2,
    base_channels=2,
    depth=1,
    ema_momentum=0,
    dice_weight=0,
)


def noise(seed: int, glacier: float) -> Patches:
    """Four patches of noise, of which a share is glacier."""
    random = np.random.default_rng(seed)
    label = (random.random((4, 16, 16)) < glacier).astype(np.uint8)
    image = random.integers(1, 255, (4, 16, 16, 3)).astype(np.uint8)
    place = np.zeros(4, dtype=np.int64)
    return Patches(image, label, np.ones_like(label), place, place, place)


def data() -> TrainingData:
    """What is learned has less glacier: probabilities fall, at first below one half, later below what is right here."""
    validation = noise(1, 0.2)
    return TrainingData(
        train=noise(0, 0.02), validation=validation, calibration=validation, shape=(16, 16), scale=1.0, offset=0.0,
        bands=["red", "green", "blue"], mean=[128.0] * 3, std=[74.0] * 3, md5="",
    )  # fmt: skip


def test_the_weights_with_the_least_validation_loss_are_kept() -> None:
    fitted = fit(data(), PARAMS, size_px=16)
    losses, ious = ([getattr(row, name) for row in fitted.history] for name in ("val_loss", "val_iou"))
    assert 1 < fitted.best.epoch < PARAMS.epochs
    assert fitted.best.epoch == 1 + int(np.argmin(losses))
    assert fitted.best.epoch != 1 + int(np.argmax(ious))  # which would be kept by the IoU
    fitted.model.compile(
        loss=MaskedBceDice(bce_weight=PARAMS.bce_weight, dice_weight=0, smoothing=PARAMS.label_smoothing)
    )
    kept = fitted.model.evaluate(unchanged_batches(data(), data().validation, batch=2), verbose=0, return_dict=True)
    assert kept["loss"] == pytest.approx(fitted.best.val_loss, abs=1e-4)
