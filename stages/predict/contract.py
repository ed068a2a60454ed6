"""Inputs and outputs of `predict`."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

PASSES = "artifacts/prepare/{year}/passes.json"
PASS_SCENE = "artifacts/prepare/{year}/passes/{pass}/scene.tif"
PASS_VALID = "artifacts/prepare/{year}/passes/{pass}/valid.tif"

CONTRACT = Contract(
    stage="predict",
    summary="Glacier probability and mask of a year's full scene, by `predict.engine`; of an ensemble also its votes",
    per="year",
    params=("predict",),
    inputs={
        "{model}": kinds.MODEL,
        "artifacts/prepare/{year}/scene.tif": kinds.SCENE,
        "artifacts/prepare/{year}/valid.tif": kinds.VALID,
        PASSES: kinds.PASSES,
        PASS_SCENE: kinds.PASS_SCENE,
        PASS_VALID: kinds.PASS_VALID,
    },
    outputs={
        "probability.tif": kinds.PROBABILITY,
        "mask.tif": kinds.MASK,
        "passes.tif": kinds.PASS_MASKS,
        "votes.tif": kinds.VOTES,
        "model.json": kinds.MAP_MODEL,
        "drift.json": kinds.DRIFT,
    },
)
