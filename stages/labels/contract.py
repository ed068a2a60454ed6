"""What `labels` reads and writes."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

CONTRACT = Contract(
    stage="labels",
    summary="Outlines to label and glacier-id rasters on the site's grid",
    params=("grid", "labels", "training_years"),
    inputs={
        "data/outlines.gpkg": kinds.OUTLINES,
        "data/aoi.gpkg": kinds.AOI,
        "data/auxiliary/manifest.json": kinds.AUXILIARY,
        "data/auxiliary/dem.tif": kinds.DEM,
        "data/auxiliary/debris.gpkg": kinds.DEBRIS,
        "data/auxiliary/review.gpkg": kinds.CORRECTIONS,
    },
    outputs={
        "glacier.tif": kinds.GLACIER,
        "held_out.tif": kinds.HELD_OUT_LABEL,
        "glacier_id.tif": kinds.GLACIER_ID,
        "glaciers.csv": kinds.GLACIERS,
        "debris.tif": kinds.DEBRIS_MASK,
    },
)
