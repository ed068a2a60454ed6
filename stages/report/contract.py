"""What `report` reads and writes."""

from dataclasses import replace

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

CONTRACT = Contract(
    stage="report",
    summary="Draw the graph, the time-lapse, the prediction gallery, one self-contained page and a QGIS project",
    params=("site", "years", "report", "gates"),
    inputs={
        "artifacts/area/series.json": kinds.SERIES,
        "artifacts/area/trend.json": kinds.TREND,
        "artifacts/area/change_trend.json": kinds.CHANGE_TREND,
        "artifacts/area/change_area_by_year.csv": kinds.CHANGE_AREAS,
        "artifacts/area/gates.json": kinds.GATES,
        "artifacts/area/truth_by_year.csv": kinds.TRUTH_BY_YEAR,
        "artifacts/area/trend_by_glacier.csv": kinds.GLACIER_TRENDS,
        "artifacts/area/terminus_by_year.csv": kinds.FRONTS,
        "artifacts/area/terminus_by_glacier.csv": kinds.FRONT_TRENDS,
        "artifacts/area/change_by_glacier.csv": kinds.CHANGES,
        "artifacts/area/outlines_{years}.gpkg": kinds.MAPPED_OUTLINES,
        "artifacts/area/flow_lines.gpkg": kinds.USED_FLOW_LINES,
        "artifacts/area/fronts.gpkg": kinds.FRONT_LINES,
        "artifacts/area/change_{years}.tif": kinds.CHANGE_MAP,
        "artifacts/area/seasons.csv": kinds.SEASONS,
        "artifacts/area/review.csv": kinds.REVIEWED,
        "artifacts/area/drift_by_year.csv": kinds.DRIFTS,
        "artifacts/predict/{years}/mask.tif": kinds.MASK,
        "artifacts/predict/{years}/probability.tif": kinds.PROBABILITY,
        "artifacts/prepare/{years}/scene.tif": kinds.SCENE,
        "artifacts/prepare/{years}/valid.tif": kinds.VALID,
        "artifacts/prepare/{years}/provenance.json": kinds.PROVENANCE,
        "artifacts/labels/glacier_id.tif": kinds.GLACIER_ID,
        "artifacts/labels/glacier.tif": kinds.GLACIER,
        "data/outlines.gpkg": kinds.OUTLINES,
        "data/aoi.gpkg": kinds.AOI,
        "data/auxiliary/dem.tif": kinds.DEM,
        "artifacts/train/history.csv": kinds.HISTORY,
        "artifacts/train/model_card.json": kinds.MODEL_CARD,
        "artifacts/train/model.onnx": kinds.MODEL,
        "artifacts/evaluate/glacier_scores.csv": kinds.GLACIER_SCORES,
        "artifacts/evaluate/precision_recall.csv": kinds.PRECISION_RECALL,
        "artifacts/evaluate/reliability.csv": kinds.RELIABILITY,
        "metrics/evaluate.json": kinds.EVALUATE_METRICS,
        "metrics/area.json": kinds.AREA_METRICS,
    },
    outputs={
        "glacier_retreat_graph.png": kinds.PNG,
        "glacier_retreat_timelapse.gif": kinds.GIF,
        "prediction_gallery.png": kinds.PNG,
        "change_map.png": replace(kinds.PNG, optional=True),
        "index.html": kinds.HTML,
        "series.gpkg": kinds.GEOPACKAGE,
        "glacier.qgz": kinds.QGIS_PROJECT,
    },
)
