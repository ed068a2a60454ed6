"""Inputs and outputs of `evaluate`."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

CONTRACT = Contract(
    stage="evaluate",
    summary="Held-out scores of the trained model beside the baselines",
    params=("patches", "evaluate"),
    inputs={
        "artifacts/train/model.onnx": kinds.MODEL,
        "artifacts/prepare/{evaluate_year}/scene.tif": kinds.SCENE,
        "artifacts/prepare/{evaluate_year}/valid.tif": kinds.VALID,
        "artifacts/patches/{evaluate_year}/split.tif": kinds.SPLIT,
        "artifacts/labels/glacier.tif": kinds.GLACIER,
        "artifacts/labels/glacier_id.tif": kinds.GLACIER_ID,
        "artifacts/labels/glaciers.csv": kinds.GLACIERS,
        "artifacts/labels/debris.tif": kinds.DEBRIS_MASK,
    },
    outputs={
        "held_out.tif": kinds.HELD_OUT,
        "glacier_scores.csv": kinds.GLACIER_SCORES,
        "slices.csv": kinds.SLICES,
        "blocks.csv": kinds.BLOCKS,
        "precision_recall.csv": kinds.PRECISION_RECALL,
        "reliability.csv": kinds.RELIABILITY,
    },
    metrics=kinds.EVALUATE_METRICS,
)
