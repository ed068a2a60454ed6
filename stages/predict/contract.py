"""What `predict` reads and writes."""

from stages.common import kinds
from stages.common.contracts import Contract

CONTRACT = Contract(
    stage="predict",
    summary="Glacier probability and mask of a year's full scene, by ONNX Runtime; of an ensemble also its votes",
    per="year",
    params=("predict",),
    inputs={
        "{model}": kinds.MODEL,
        "artifacts/prepare/{year}/scene.tif": kinds.SCENE,
        "artifacts/prepare/{year}/valid.tif": kinds.VALID,
    },
    outputs={
        "probability.tif": kinds.PROBABILITY,
        "mask.tif": kinds.MASK,
        "votes.tif": kinds.VOTES,
        "model.json": kinds.MAP_MODEL,
    },
)
