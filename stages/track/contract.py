"""Inputs and outputs of `track`."""

from dataclasses import replace

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

AREAS = "artifacts/area/glacier_area_by_year.csv"
TRUTH = "artifacts/area/truth_by_year.csv"
TREND = "artifacts/area/trend.json"
CHANGE_TREND = "artifacts/area/change_trend.json"
GATES = "artifacts/area/gates.json"
DRIFTS = "artifacts/area/drift_by_year.csv"
FRONTS = "artifacts/area/terminus_by_year.csv"
MODEL = "artifacts/train/model.onnx"
HISTORY = "artifacts/train/history.csv"
MODEL_CARD = "artifacts/train/model_card.json"
EVALUATE_METRICS = "metrics/evaluate.json"
AREA_METRICS = "metrics/area.json"

CONTRACT = Contract(
    stage="track",
    summary="One MLflow run for this state of the pipeline",
    params=(
        "site",
        "years",
        "training_years",
        "grid",
        "prepare",
        "labels",
        "patches",
        "train",
        "evaluate",
        "predict",
        "area",
        "gates",
    ),
    inputs={
        AREAS: kinds.AREAS,
        "artifacts/area/area_by_glacier.csv": kinds.GLACIER_AREAS,
        TRUTH: kinds.TRUTH_BY_YEAR,
        TREND: kinds.TREND,
        CHANGE_TREND: kinds.CHANGE_TREND,
        "artifacts/area/change_area_by_year.csv": kinds.CHANGE_AREAS,
        DRIFTS: kinds.DRIFTS,
        FRONTS: kinds.FRONTS,
        "artifacts/area/trend_by_glacier.csv": kinds.GLACIER_TRENDS,
        "artifacts/area/terminus_by_glacier.csv": kinds.FRONT_TRENDS,
        "artifacts/area/change_by_glacier.csv": kinds.CHANGES,
        "artifacts/area/seasons.csv": kinds.SEASONS,
        GATES: kinds.GATES,
        MODEL: kinds.MODEL,
        HISTORY: kinds.HISTORY,
        MODEL_CARD: kinds.MODEL_CARD,
        "artifacts/evaluate/glacier_scores.csv": kinds.GLACIER_SCORES,
        "artifacts/evaluate/precision_recall.csv": kinds.PRECISION_RECALL,
        "artifacts/report/glacier_retreat_graph.png": kinds.PNG,
        "artifacts/report/glacier_retreat_timelapse.gif": kinds.GIF,
        "artifacts/report/prediction_gallery.png": kinds.PNG,
        "artifacts/report/change_map.png": replace(kinds.PNG, optional=True),
        "artifacts/report/index.html": kinds.HTML,
        EVALUATE_METRICS: kinds.EVALUATE_METRICS,
        AREA_METRICS: kinds.AREA_METRICS,
    },
    outputs={"state.json": kinds.TRACKED},
)
