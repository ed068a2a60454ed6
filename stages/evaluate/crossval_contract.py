"""Inputs and outputs of the cross-validation. Like `ingest` it is not a stage of the DAG: `make crossval` runs it."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

HELD_OUT = "artifacts/folds/{folds}/held_out.tif"
SPLIT = "artifacts/folds/{folds}/split.tif"
METRICS = "artifacts/folds/{folds}/evaluate.json"

CONTRACT = Contract(
    stage="crossval",
    summary="Scores pooled over the folds of the spatial split, each tested by a training that saw nothing of it",
    params=("patches", "evaluate", "crossval"),
    inputs={
        HELD_OUT: kinds.HELD_OUT,
        SPLIT: kinds.SPLIT,
        METRICS: kinds.EVALUATE_METRICS,
        "artifacts/prepare/{evaluate_year}/scene.tif": kinds.SCENE,
        "artifacts/prepare/{evaluate_year}/valid.tif": kinds.VALID,
        "artifacts/labels/glacier.tif": kinds.GLACIER,
        "artifacts/labels/glacier_id.tif": kinds.GLACIER_ID,
        "artifacts/labels/glaciers.csv": kinds.GLACIERS,
        "artifacts/labels/debris.tif": kinds.DEBRIS_MASK,
    },
    outputs={
        "held_out.tif": kinds.HELD_OUT,
        "mask.tif": kinds.MASK,
        "glacier_scores.csv": kinds.GLACIER_SCORES,
        "slices.csv": kinds.SLICES,
        "blocks.csv": kinds.BLOCKS,
        "precision_recall.csv": kinds.PRECISION_RECALL,
        "reliability.csv": kinds.RELIABILITY,
    },
    metrics=kinds.CROSSVAL_METRICS,
)
