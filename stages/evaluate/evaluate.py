"""Score a model on a labelled scene: its held-out pixels only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.geo.raster import gdal_env, read_band, read_grid
from stages.common.machine import give_back_memory
from stages.common.model.inference import ModelInfo, read_info
from stages.common.model.mapping import SceneMapper, scene_source
from stages.common.model.probability import reaches
from stages.common.model.split import TEST, TRAIN
from stages.common.run.progress import progress_bar
from stages.common.run.stage import Run
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.types import BoolArray, Float32Array
from stages.evaluate.baselines import ThresholdRule, fit_threshold
from stages.evaluate.held_out import HeldOutMap, shared_metrics, write_score_tables
from stages.evaluate.scene import SCENE, VALID, LabelledScene, load_scene, read_index
from stages.evaluate.scores import as_fitted


def evaluate(run: Run) -> EvaluateMetrics:
    """Score model and baselines on the test blocks; write the tables and return the metrics."""
    info = read_info(run.path("artifacts/train/model.onnx"))
    probability, mapped = _map(info, run.path(SCENE), run.path(VALID))
    scene = load_scene(run)  # after the map, which takes most memory
    roles = read_band(run.path("artifacts/patches/{evaluate_year}/split.tif"))
    region = scene.valid & (roles == TEST)
    probability = probability[region]
    rule, by_rule = _threshold_map(run.path(SCENE), scene, scene.valid & (roles == TRAIN))
    held_out = HeldOutMap(
        probability=probability,
        as_fitted=as_fitted(probability, info.temperature),
        mapped=mapped,
        by_rule=by_rule,
        region=region,
    )
    tables = write_score_tables(run.out, scene, held_out, run.params)
    metrics = EvaluateMetrics(
        **shared_metrics(scene, held_out, tables, run.params),
        threshold=info.threshold,
        temperature=info.temperature,
        baseline_threshold_rule=str(rule),
        baseline_threshold_value=rule.threshold,
    )
    _report(run, metrics)
    return metrics


def _map(info: ModelInfo, scene: Path, valid: Path) -> tuple[Float32Array, BoolArray]:
    """Return the probability of the whole scene, and where it reaches the model's threshold, both (H, W).

    Test blocks are mapped with their surroundings, as in `predict`.
    """
    grid = read_grid(scene)
    mapper = SceneMapper(info, *grid.shape)
    probability, mapped = np.zeros(grid.shape, dtype=np.float32), np.zeros(grid.shape, dtype=bool)
    rows = progress_bar(grid.height * len(mapper.strips), name="evaluate", unit="row")
    with gdal_env(), rows as advance:
        for band in mapper.bands(scene_source(scene, valid)):
            part = band.answers[0][..., 0]
            place = slice(band.row, band.row + part.shape[0]), slice(band.column, band.column + part.shape[1])
            probability[place], mapped[place] = part, reaches(part, info.threshold)
            advance(len(part))
    del mapper, band, part
    give_back_memory()
    return probability, mapped


def _threshold_map(path: Path, scene: LabelledScene, train: BoolArray) -> tuple[ThresholdRule, BoolArray]:
    name, index = read_index(path, scene)
    give_back_memory()
    rule = fit_threshold(index[train], scene.truth[train], name=name)
    return rule, index >= rule.threshold


def _report(run: Run, metrics: EvaluateMetrics) -> None:
    run.log.info(
        "held-out IoU %.3f, area bias %+.1f %%; everything-is-glacier %.3f; %s: %.3f",
        metrics.model.iou or 0, metrics.model.area_bias_pct or 0, metrics.baseline_everything_is_glacier.iou or 0,
        metrics.baseline_threshold_rule, metrics.baseline_threshold.iou or 0,
    )  # fmt: skip
