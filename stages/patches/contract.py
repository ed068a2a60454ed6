"""What `patches` reads and writes."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

CONTRACT = Contract(
    stage="patches",
    summary="Training patches of one year with a leak-free spatial split",
    per="training_year",
    params=("patches",),
    inputs={
        "data/aoi.gpkg": kinds.AOI,
        "artifacts/prepare/{year}/scene.tif": kinds.SCENE,
        "artifacts/prepare/{year}/valid.tif": kinds.VALID,
        "artifacts/labels/glacier.tif": kinds.GLACIER,
        "artifacts/labels/held_out.tif": kinds.HELD_OUT_LABEL,
        "artifacts/labels/glacier_id.tif": kinds.GLACIER_ID,
    },
    outputs={
        "train.npz": kinds.PATCHES,
        "validation.npz": kinds.PATCHES,
        "calibration.npz": kinds.PATCHES,
        "split.tif": kinds.SPLIT,
        "split.geojson": kinds.SPLIT_MAP,
        "stats.json": kinds.STATS,
    },
)
