"""The stage's verb: patches in, a model out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from stages.common import settings
from stages.common.errors import ContractError
from stages.common.outputs import write_json, write_table
from stages.common.stage import Run
from stages.common.tables_learning import EpochRow, ModelCard, TrainMetrics
from stages.train.data import TrainingData, load
from stages.train.instruction_set import effective

PARITY_TOLERANCE = 1e-5
"""Largest difference allowed between Keras and ONNX Runtime on real patches, in probability."""

PARITY_PATCHES = 8


def train(run: Run) -> TrainMetrics:
    """Fit, export, compare ONNX with Keras, and describe the model."""
    params = run.params.train
    data = load(
        {year: path.parent for year, path in run.by_year("artifacts/patches/{training_years}/stats.json").items()}
    )
    run.log.info("%d training and %d validation patches", len(data.train), len(data.validation))
    prepare_tensorflow(params.threads, params.seed, params.instruction_set)

    from stages.train.fit import fit

    result = fit(data, params, size_px=run.params.patches.size_px)
    result.model.save_weights(run.out / "model.weights.h5")
    (run.out / "architecture.json").write_text(_tidy(result.model.to_json()), encoding="utf-8")
    write_table(run.out / "history.csv", result.history, EpochRow)
    write_json(run.out / "model_card.json", _card(run, data, result, difference=0.0))
    export_in_fresh_process(run.out)
    card = _card(run, data, result, difference=parity(result.model, data, run.out / "model.onnx"))
    write_json(run.out / "model_card.json", card)
    run.log.info("best validation IoU %.3f in epoch %d", card.val_iou, card.best_epoch)
    return TrainMetrics(**{name: getattr(card, name) for name in TrainMetrics.model_fields})


def prepare_tensorflow(threads: int, seed: int, instruction_set: str) -> None:
    """Pin all that changes the bits of a training, before any operation."""
    if instruction_set != "native":
        settings.limit_onednn(instruction_set)
    settings.quiet_tensorflow()
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def _tidy(text: str) -> str:
    return json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def export_in_fresh_process(folder: Path) -> None:
    """Write model.onnx from weights and architecture; a fresh process gives the same bytes whatever ran before."""
    command = [sys.executable, "-m", "stages.train.export", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    if done.returncode:
        raise ContractError("the export to ONNX failed", where=folder, found=done.stderr[-2000:])


def parity(model: Any, data: TrainingData, onnx: Path) -> float:
    """Largest difference between Keras and ONNX Runtime on real validation patches.

    Raises
    ------
    ContractError
        It is above `PARITY_TOLERANCE`.
    """
    from stages.common.inference import open_session
    from stages.train.data import validation_batches

    pixels = next(iter(validation_batches(data, batch=PARITY_PATCHES)))[0].numpy()
    session = open_session(onnx, batch=len(pixels), height=pixels.shape[1], width=pixels.shape[2])
    (found,) = session.run(None, {session.get_inputs()[0].name: pixels})
    difference = float(np.abs(found - model.predict_on_batch(pixels)).max())
    if not difference <= PARITY_TOLERANCE:
        raise ContractError(
            "ONNX Runtime and Keras disagree", where=onnx, expected=f"<= {PARITY_TOLERANCE}", found=difference,
            fix="check the versions of tf2onnx and onnxruntime against docker/locks/train.txt",
        )  # fmt: skip
    return difference


def _card(run: Run, data: TrainingData, result: Any, *, difference: float) -> ModelCard:
    import keras
    import tensorflow as tf

    params = run.params.train
    return ModelCard(
        bands=data.bands,
        scale=data.scale,
        offset=data.offset,
        threshold=result.threshold,
        stride_px=result.stride_px,
        receptive_field_radius_px=result.receptive_field_radius_px,
        parameters=result.model.count_params(),
        training_years=run.params.training_years,
        data_md5=data.md5,
        best_epoch=result.best.epoch,
        val_iou=result.best.val_iou,
        onnx_max_difference=difference,
        tensorflow=tf.__version__,
        keras=keras.__version__,
        intra_op_threads=params.threads,
        instruction_set=effective(params.instruction_set),
        device="GPU" if tf.config.list_physical_devices("GPU") else "CPU",
    )
