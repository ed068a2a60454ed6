"""Score a model on a labelled scene: its held-out pixels only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import gdal_env, read_grid
from stages.common.machine import give_back_memory
from stages.common.model.inference import ModelInfo, read_info
from stages.common.model.mapping import SceneMapper, scene_source
from stages.common.model.probability import reaches
from stages.common.model.split import TEST, TRAIN
from stages.common.run.progress import progress_bar
from stages.common.run.stage import Run
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.types import Float32Array
from stages.evaluate.baselines import ThresholdRule, fit_threshold
from stages.evaluate.held_out import HeldOutMap, shared_metrics, write_score_tables
from stages.evaluate.planes import chosen
from stages.evaluate.scene import SCENE, VALID, LabelledScene, load_scene, read_index, read_mask
from stages.evaluate.scores import as_fitted


def evaluate(run: Run) -> EvaluateMetrics:
    """Score model and baselines on the test blocks; write the tables and return the metrics."""
    info = read_info(run.path("artifacts/train/model.onnx"))
    probability, mapped = _map(info, run.path(SCENE), run.path(VALID), run.out)
    scene = load_scene(run)
    split = run.path("artifacts/patches/{evaluate_year}/split.tif")
    region = scene.valid & read_mask(split, value=TEST)
    rule, by_rule = _threshold_map(run.path(SCENE), scene, scene.valid & read_mask(split, value=TRAIN))
    held_out = HeldOutMap(
        probability=lambda rows: probability[rows][region[rows]],
        as_fitted=lambda rows: as_fitted(probability[rows][region[rows]], info.temperature),
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


def _map(info: ModelInfo, scene: Path, valid: Path, scratch: Path) -> tuple[Plane, Bits]:
    """Return the probability of the whole scene, and where it reaches the model's threshold, both (H, W).

    Test blocks are mapped with their surroundings, as in `predict`.
    """
    grid = read_grid(scene)
    mapper = SceneMapper(info, *grid.shape)
    probability, mapped = Plane(scratch, grid.shape, np.float32), Bits(grid.shape)
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


def _threshold_map(path: Path, scene: LabelledScene, train: Bits) -> tuple[ThresholdRule, Bits]:
    """Return the rule that is best on the training pixels, and where it maps glacier."""
    name, index = read_index(path, scene)
    ice = train & scene.truth
    give_back_memory()
    rule = fit_threshold(_known(index, train), _known(index, ice), glacier_px=ice.sum(), name=name)
    return rule, Bits.by_rows(index.shape, lambda rows: index[rows] >= rule.threshold)


def _known(index: Plane, pixels: Bits) -> Float32Array:
    """Return (N,) values of the pixels that have one."""
    values, known = np.empty(pixels.sum(), dtype=np.float32), 0
    for part in chosen(index, pixels):
        finite = part[np.isfinite(part)]
        values[known : known + len(finite)] = finite
        known += len(finite)
    return values[:known]


def _report(run: Run, metrics: EvaluateMetrics) -> None:
    run.log.info(
        "held-out IoU %.3f, area bias %+.1f %%; everything-is-glacier %.3f; %s: %.3f",
        metrics.model.iou or 0, metrics.model.area_bias_pct or 0, metrics.baseline_everything_is_glacier.iou or 0,
        metrics.baseline_threshold_rule, metrics.baseline_threshold.iou or 0,
    )  # fmt: skip
