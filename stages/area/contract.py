"""Contract of the stage `area`: what it reads and writes."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

MASK = "artifacts/predict/{years}/mask.tif"
PROBABILITY = "artifacts/predict/{years}/probability.tif"
MAP_MODEL = "artifacts/predict/{years}/model.json"
VOTES = "artifacts/predict/{years}/votes.tif"
VALID = "artifacts/prepare/{years}/valid.tif"
SCENE = "artifacts/prepare/{years}/scene.tif"
DRIFT = "artifacts/predict/{years}/drift.json"
PROVENANCE = "artifacts/prepare/{years}/provenance.json"
PASSES = "artifacts/prepare/{years}/passes.json"
PASS_MASKS = "artifacts/predict/{years}/passes.tif"
GLACIER_ID = "artifacts/labels/glacier_id.tif"
GLACIERS = "artifacts/labels/glaciers.csv"
OUTLINES = "data/outlines.gpkg"
AOI = "data/aoi.gpkg"
AUXILIARY = "data/auxiliary/manifest.json"
DEM = "data/auxiliary/dem.tif"
DEBRIS = "data/auxiliary/debris.gpkg"
FLOW_LINES = "data/auxiliary/flow_lines.gpkg"
REVIEW = "data/auxiliary/review.yaml"
CORRECTIONS = "data/auxiliary/review.gpkg"
TRUTH = "data/truth/truth.json"
TRUE_SURFACE = "data/truth/surface.tif"
MODEL = "{model}"

CONTRACT = Contract(
    stage="area",
    summary="km2 of glacier per year, with uncertainty, trend, outlines and sanity gates",
    params=("years", "area", "gates"),
    inputs={
        MASK: kinds.MASK,
        PROBABILITY: kinds.PROBABILITY,
        MAP_MODEL: kinds.MAP_MODEL,
        VOTES: kinds.VOTES,
        VALID: kinds.VALID,
        SCENE: kinds.SCENE,
        PROVENANCE: kinds.PROVENANCE,
        PASSES: kinds.PASSES,
        PASS_MASKS: kinds.PASS_MASKS,
        DRIFT: kinds.DRIFT,
        GLACIER_ID: kinds.GLACIER_ID,
        GLACIERS: kinds.GLACIERS,
        OUTLINES: kinds.OUTLINES,
        AOI: kinds.AOI,
        AUXILIARY: kinds.AUXILIARY,
        DEM: kinds.DEM,
        DEBRIS: kinds.DEBRIS,
        FLOW_LINES: kinds.FLOW_LINES,
        REVIEW: kinds.REVIEW,
        CORRECTIONS: kinds.CORRECTIONS,
        TRUTH: kinds.TRUTH,
        TRUE_SURFACE: kinds.TRUE_SURFACE,
        MODEL: kinds.MODEL,
    },
    outputs={
        "glacier_area_by_year.csv": kinds.AREAS,
        "area_by_glacier.csv": kinds.GLACIER_AREAS,
        "trend_by_glacier.csv": kinds.GLACIER_TRENDS,
        "series.json": kinds.SERIES,
        "seasons.csv": kinds.SEASONS,
        "outlines_{years}.gpkg": kinds.MAPPED_OUTLINES,
        "terminus_by_year.csv": kinds.FRONTS,
        "terminus_by_glacier.csv": kinds.FRONT_TRENDS,
        "flow_lines.gpkg": kinds.USED_FLOW_LINES,
        "fronts.gpkg": kinds.FRONT_LINES,
        "change_{years}.tif": kinds.CHANGE_MAP,
        "change_by_glacier.csv": kinds.CHANGES,
        "truth_by_year.csv": kinds.TRUTH_BY_YEAR,
        "drift_by_year.csv": kinds.DRIFTS,
        "trend.json": kinds.TREND,
        "outlines_product.json": kinds.FUSION,
        "change_area_by_year.csv": kinds.CHANGE_AREAS,
        "change_trend.json": kinds.CHANGE_TREND,
        "review.csv": kinds.REVIEWED,
        "gates.json": kinds.GATES,
    },
    metrics=kinds.AREA_METRICS,
)
