"""Fitting the U-Net: optimiser, schedule, early stopping with the best weights kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from stages.common.params.learning import TrainParams
from stages.common.tables.learning import EpochRow
from stages.train.beyond.initial_model import InitialNets
from stages.train.data import TrainingData, training_batches, unchanged_batches
from stages.train.fused_norm import for_fitting
from stages.train.loss import MaskedBceDice, MaskedIoU
from stages.train.model import build_unet, receptive_field_radius_px, stride_px
from stages.train.progress import Progress


@dataclass(frozen=True)
class Fitted:
    """A fitted net, not calibrated yet, and its learning curve."""

    model: Any
    """Keras model in float32, with the weights of the best epoch."""
    history: list[EpochRow]
    best: EpochRow
    """The epoch whose weights were kept."""
    stride_px: int
    receptive_field_radius_px: int
    initial_val_iou: float | None = None
    """Validation IoU of the model that it started from, before the first step."""


FITTING_THRESHOLD = 0.5
"""Threshold of the IoU that is watched while fitting; that of the maps is chosen afterwards (`calibrate`)."""


def fit_members(
    data: TrainingData, params: TrainParams, *, size_px: int, initial: InitialNets | None = None
) -> list[Fitted]:
    """Fit `params.members` nets, the n-th with the seed n - 1 above `params.seed`.

    With `initial`, the n-th starts from the n-th of its nets; after the last one they are taken from the first again.
    """
    return [
        fit(
            data,
            params.model_copy(update={"seed": params.seed + member - 1}),
            size_px=size_px,
            member=member,
            initial=initial,
        )
        for member in range(1, params.members + 1)
    ]


def fit(
    data: TrainingData, params: TrainParams, *, size_px: int, member: int = 1, initial: InitialNets | None = None
) -> Fitted:
    """Fit a U-Net to `data` and keep the weights of the epoch with the least validation loss.

    The IoU does not choose: it is taken at a threshold that calibration moves afterwards. Without validation patches
    the whole schedule runs and its last weights are kept.
    """
    model = first_net(data, params, member, initial)
    steps = params.epochs * params.steps_per_epoch
    validation = _validation(data, params)
    before = validation_iou(model, data, params) if initial and validation else None
    log = model.fit(
        training_batches(
            data,
            batch=params.batch_size,
            seed=params.seed,
            size_px=size_px,
            augmentation=params.augmentation,
        ),
        validation_data=validation,
        epochs=params.epochs,
        steps_per_epoch=params.steps_per_epoch,
        callbacks=_callbacks(params, member, early_stopping=len(data.validation) > 0),
        shuffle=False,
        verbose=0,
    )
    history = _rows(log.history, params, steps, member)
    return Fitted(
        model=_in_float32(model, data, params, initial),
        history=history,
        best=min(history, key=lambda row: -row.epoch if row.val_loss is None else row.val_loss),
        stride_px=stride_px(depth=params.depth, stem=params.stem),
        receptive_field_radius_px=receptive_field_radius_px(depth=params.depth, stem=params.stem),
        initial_val_iou=before,
    )


def first_net(data: TrainingData, params: TrainParams, member: int, initial: InitialNets | None) -> Any:
    """Return the compiled net before its first step: with random weights, or with those of `initial`."""
    keras.utils.set_random_seed(params.seed)
    keras.mixed_precision.set_global_policy(params.precision)
    model = for_fitting(_build(data, params, initial))
    if initial is not None:
        model.set_weights(initial.of_member(member))
    model.compile(
        optimizer=_optimiser(params, params.epochs * params.steps_per_epoch),
        loss=MaskedBceDice(
            bce_weight=params.bce_weight, dice_weight=params.dice_weight, smoothing=params.label_smoothing
        ),
        metrics=[MaskedIoU(threshold=FITTING_THRESHOLD)],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)  # where the first step does it, TensorFlow traces the step twice
    return model


def _build(data: TrainingData, params: TrainParams, initial: InitialNets | None) -> Any:
    normalisation = initial or data
    return build_unet(
        bands=len(data.bands),
        mean=normalisation.mean,
        std=normalisation.std,
        base=params.base_channels,
        depth=params.depth,
        stem=params.stem,
        dropout=params.dropout,
    )


def _in_float32(model: Any, data: TrainingData, params: TrainParams, initial: InitialNets | None) -> Any:
    """Return the model as it is used: in float32, whatever precision it was fitted in."""
    keras.mixed_precision.set_global_policy("float32")
    final = _build(data, params, initial)
    final.set_weights(model.get_weights())
    return final


def _optimiser(params: TrainParams, steps: int) -> Any:
    kinds = {"adamw": keras.optimizers.AdamW, "lion": keras.optimizers.Lion, "sgd": keras.optimizers.SGD}
    optimiser = kinds[params.optimiser](
        learning_rate=_schedule(params, steps),
        weight_decay=params.weight_decay,
        global_clipnorm=1.0,
        use_ema=params.ema_momentum > 0,
        ema_momentum=params.ema_momentum or None,
    )
    optimiser.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimiser


def _schedule(params: TrainParams, steps: int) -> Any:
    """Return a warm-up over a tenth of the steps, then half a cosine (Loshchilov and Hutter 2017) or no change."""
    warmup = max(steps // 10, 1)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=params.learning_rate / 100,
        warmup_target=params.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(steps - warmup, 1),
        alpha=0.01 if params.schedule == "cosine" else 1.0,
    )


def _validation(data: TrainingData, params: TrainParams) -> Any:
    return unchanged_batches(data, data.validation, batch=params.batch_size).cache() if len(data.validation) else None


def validation_iou(model: Any, data: TrainingData, params: TrainParams) -> float:
    """Return the IoU of a compiled net on the validation patches."""
    return float(model.evaluate(_validation(data, params), verbose=0, return_dict=True)["iou"])


def _callbacks(params: TrainParams, member: int, *, early_stopping: bool) -> list[Any]:
    name = "train" if params.members == 1 else f"train, member {member} of {params.members}"
    callbacks: list[Any] = [Progress(name, epochs=params.epochs, steps_per_epoch=params.steps_per_epoch)]
    if params.ema_momentum > 0:
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if early_stopping:
        stop = keras.callbacks.EarlyStopping(
            monitor="val_loss", mode="min", patience=params.patience_epochs, restore_best_weights=True
        )
        callbacks.append(stop)
    return callbacks


def _rows(history: dict[str, list[float]], params: TrainParams, steps: int, member: int) -> list[EpochRow]:
    """Return one row per epoch; the learning rate is that of the epoch's last step."""
    schedule = _schedule(params, steps)
    names = [name for name in ("loss", "iou", "val_loss", "val_iou") if name in history]
    return [
        EpochRow(
            member=member,
            epoch=index + 1,
            learning_rate=round(float(schedule((index + 1) * params.steps_per_epoch - 1)), 9),
            **{name: round(float(history[name][index]), 6) for name in names},
        )
        for index in range(len(history["loss"]))
    ]
