"""What `train` reads and writes."""

from dataclasses import replace

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

CONTRACT = Contract(
    stage="train",
    summary="U-Net in TensorFlow/Keras, exported to ONNX with its normalisation and calibration inside",
    params=("training_years", "patches", "train"),
    inputs={
        "artifacts/patches/{training_years}/train.npz": kinds.PATCHES,
        "artifacts/patches/{training_years}/validation.npz": kinds.PATCHES,
        "artifacts/patches/{training_years}/calibration.npz": kinds.PATCHES,
        "artifacts/patches/{training_years}/split.tif": kinds.SPLIT,
        "artifacts/patches/{training_years}/stats.json": kinds.STATS,
    },
    outputs={
        "model.onnx": kinds.MODEL,
        "model.weights.h5": kinds.WEIGHTS,
        "architecture.json": kinds.ARCHITECTURE,
        "history.csv": kinds.HISTORY,
        "model_card.json": kinds.MODEL_CARD,
        "learned_from.json": kinds.LEARNED_FROM,
    },
    metrics=kinds.TRAIN_METRICS,
)

MORE_PATCHES = {
    "train.npz": kinds.PATCHES,
    "split.tif": replace(kinds.SPLIT, grid_bound=False),
    "stats.json": kinds.STATS,
}
"""Of each year in a folder of `train.more_patches`."""

INITIAL_MODEL = {
    "model.weights.h5": kinds.WEIGHTS,
    "architecture.json": kinds.ARCHITECTURE,
    "model_card.json": kinds.MODEL_CARD,
}
"""In the folder of `train.initial_model`."""
