"""The stage's verb: patches in, a model out."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from stages.common import settings
from stages.common.errors import ContractError
from stages.common.run.outputs import write_json, write_table
from stages.common.run.stage import Run
from stages.common.tables.learning import (
    AreaError,
    Calibrated,
    EpochRow,
    InitialModel,
    LearnedFrom,
    ModelCard,
    TrainMetrics,
)
from stages.train.beyond.more_patches import OtherSite, read_more_patches
from stages.train.beyond.pins import require_pinned
from stages.train.calibrate import calibrate
from stages.train.data import TrainingData, load
from stages.train.environment import cpu_flags, hushed, instruction_set_in_force, pin_environment
from stages.train.export import exporter
from stages.train.quantise import add_int8
from stages.train.validation import join, validation_pixels

PARITY_TOLERANCE = 1e-5
"""Largest difference in probability that is allowed between Keras and ONNX Runtime on real patches."""

PARITY_PATCHES = 8
"""Patches that the two are compared on."""


def train(run: Run) -> TrainMetrics:
    """Fit, export, compare ONNX with Keras, and describe the model."""
    params = run.params.train
    own = {year: path.parent for year, path in run.by_year("artifacts/patches/{training_years}/stats.json").items()}
    others = read_more_patches(params, next(iter(own.values())))
    start = params.initial_model and require_pinned(params.initial_model, name="train.initial_model")
    with ThreadPoolExecutor(1) as pool:  # TensorFlow takes as long to load as the patches
        loaded = pool.submit(load, own, [folder for site in others for folder in site.years])
        prepare_tensorflow(params.threads, params.seed, params.instruction_set)
        data = loaded.result()
    counts = len(data.train), len(data.validation), len(data.calibration)
    run.log.info("%d training, %d validation and %d calibration patches", *counts)

    from stages.train.beyond.initial_model import read_initial_model
    from stages.train.ensemble import assemble, logits_of
    from stages.train.fit import fit_members

    initial = read_initial_model(start, data, params) if start else None
    fitted = fit_members(data, params, size_px=run.params.patches.size_px, initial=initial)
    with exporter() as write_onnx:
        nets = [logits_of(member.model) for member in fitted]
        validation, calibration = (
            validation_pixels(nets, patches, data, run.params.patches)
            for patches in (data.validation, data.calibration)
        )
        calibrated, areas = calibrate(validation, calibration, params)
        model = assemble([member.model for member in fitted], calibrated.temperature)
        draft = _card(run, data, fitted, calibrated, areas, parameters=model.count_params())
        _write(run.out, model, fitted, draft)
        _write_sources(run, others, fitted)
        write_onnx(run.out)
    card = draft.model_copy(update={"onnx_max_difference": parity(model, data, run.out / "model.onnx")})
    if params.int8:
        float32 = join([validation, calibration])
        check = add_int8(run.out / "model.onnx", data, float32, calibrated, run.params.patches)
        card = card.model_copy(update={"int8": check})
    write_json(run.out / "model_card.json", card)
    _report(run, card)
    return TrainMetrics(**{name: getattr(card, name) for name in TrainMetrics.model_fields})


def _write(out: Path, model: Any, fitted: list[Any], card: ModelCard) -> None:
    """Write all files but model.onnx, which is exported from these."""
    model.save_weights(out / "model.weights.h5")
    (out / "architecture.json").write_text(_tidy(model.to_json()), encoding="utf-8")
    write_table(out / "history.csv", [row for member in fitted for row in member.history], EpochRow)
    write_json(out / "model_card.json", card)


def _write_sources(run: Run, others: Sequence[OtherSite], fitted: list[Any]) -> None:
    """Write learned_from.json, where the model has learned from anything beyond its site."""
    pin = run.params.train.initial_model
    start = None
    if pin:
        scores = [member.initial_val_iou for member in fitted if member.initial_val_iou is not None]
        start = InitialModel(md5=pin.md5, val_iou=round(sum(scores) / len(scores), 6) if scores else None)
        run.log.info("the initial model has validation IoU %s", start.val_iou)
    if others or start:
        sources = LearnedFrom(more_patches=[site.record for site in others], initial_model=start)
        write_json(run.out / "learned_from.json", sources)


def _report(run: Run, card: ModelCard) -> None:
    run.log.info(
        "least validation loss in epoch %d, IoU %.3f; %d member(s)", card.best_epoch, card.val_iou, card.members
    )
    run.log.info("temperature %g (%s)", card.temperature, card.temperature_rule)
    if card.nll is not None:
        scores = card.nll_as_fitted, card.nll, card.ece_as_fitted, card.ece
        run.log.info("calibration blocks: NLL %.4f -> %.4f, ECE %.4f -> %.4f", *scores)
    run.log.info("threshold %g (%s)", card.threshold, card.threshold_rule)
    if card.int8 is not None and card.int8.refused:
        run.log.warning("no int8 graph is kept: %s; predict.precision: int8 will be refused", card.int8.refused)
    elif card.int8 is not None:
        of_int8 = card.int8.iou_float32, card.int8.iou, card.int8.area_change_pct
        run.log.info("int8 on held-out blocks: IoU %.4f -> %.4f, area %+.2f %%", *of_int8)


def prepare_tensorflow(threads: int, seed: int, instruction_set: str) -> None:
    """Pin all that changes the bits of a training; before TensorFlow is imported and before any operation."""
    pin_environment(instruction_set)
    settings.quiet_tensorflow()
    with hushed():
        import keras
        import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def _tidy(text: str) -> str:
    return json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def parity(model: Any, data: TrainingData, onnx: Path) -> float:
    """Return the largest difference between Keras and ONNX Runtime on validation patches, over all outputs.

    Raises
    ------
    ContractError
        The difference is above `PARITY_TOLERANCE`, or not a number.
    """
    from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT, open_session
    from stages.train.data import unchanged_batches

    pixels = next(iter(unchanged_batches(data, data.validation, batch=PARITY_PATCHES)))[0].numpy()
    session = open_session(onnx, batch=len(pixels), height=pixels.shape[1], width=pixels.shape[2])
    outputs = [OUTPUT, MEMBERS_OUTPUT][: len(model.outputs)]
    from_onnx = session.run(outputs, {session.get_inputs()[0].name: pixels})
    answers = model(pixels, training=False)
    from_keras = answers if len(outputs) > 1 else [answers]
    difference = max(float(np.abs(a - np.asarray(b)).max()) for a, b in zip(from_onnx, from_keras, strict=True))
    if not difference <= PARITY_TOLERANCE:
        raise ContractError(
            "ONNX Runtime and Keras disagree", where=onnx, expected=f"<= {PARITY_TOLERANCE}", found=difference,
            fix="check the versions of tf2onnx and onnxruntime against docker/locks/train.txt",
        )  # fmt: skip
    return difference


def _card(
    run: Run, data: TrainingData, fitted: list[Any], calibrated: Calibrated, areas: AreaError | None, *, parameters: int
) -> ModelCard:
    """Return the card of the model, but for how far ONNX Runtime is from Keras."""
    import keras
    import tensorflow as tf

    return ModelCard(
        bands=data.bands,
        scale=data.scale,
        offset=data.offset,
        **calibrated.model_dump(),
        members=len(fitted),
        area_error=areas,
        stride_px=fitted[0].stride_px,
        receptive_field_radius_px=fitted[0].receptive_field_radius_px,
        parameters=parameters,
        training_years=run.params.training_years,
        data_md5=data.md5,
        best_epoch=fitted[0].best.epoch,
        val_iou=sum(member.best.val_iou for member in fitted) / len(fitted),
        onnx_max_difference=0.0,
        tensorflow=tf.__version__,
        keras=keras.__version__,
        intra_op_threads=tf.config.threading.get_intra_op_parallelism_threads(),
        instruction_set=instruction_set_in_force(os.environ, cpu_flags()),
        device="GPU" if tf.config.list_physical_devices("GPU") else "CPU",
        band_references=data.band_references,
    )
