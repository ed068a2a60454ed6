"""What `prepare` reads and writes."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

CONTRACT = Contract(
    stage="prepare",
    summary="One harmonised, clipped, gridded scene per year, with its validity mask",
    per="year",
    params=("training_years", "grid", "prepare"),
    inputs={
        "data/scenes/{year}/index.json": kinds.SCENE_ITEMS,
        "data/scenes/{reference_year}/index.json": kinds.SCENE_ITEMS,
        "data/aoi.gpkg": kinds.AOI,
        "data/outlines.gpkg": kinds.OUTLINES,
        "data/auxiliary/dem.tif": kinds.DEM,
    },
    outputs={
        "scene.tif": kinds.SCENE,
        "valid.tif": kinds.VALID,
        "provenance.json": kinds.PROVENANCE,
        "passes.json": kinds.PASSES,
        "passes/{pass}/scene.tif": kinds.PASS_SCENE,
        "passes/{pass}/valid.tif": kinds.PASS_VALID,
    },
)
