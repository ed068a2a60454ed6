"""The stage's verb: a model and a labelled scene in, held-out scores out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from stages.common.grid import Grid, pixel_area_km2
from stages.common.inference import ModelInfo, array_reader, open_session, plan_for, predict_windows, read_info
from stages.common.kinds import IGNORE
from stages.common.outputs import write_table
from stages.common.raster import grid_of, open_raster, read_band
from stages.common.records import read_rows
from stages.common.split import TEST, TRAIN
from stages.common.stage import Run
from stages.common.tables import GlacierRow
from stages.common.tables_learning import EvaluateMetrics, GlacierScoreRow, PrecisionRecallRow, ReliabilityRow, Scores
from stages.common.types import BoolArray, Float32Array, Float64Array, UInt16Array
from stages.evaluate.baselines import ThresholdRule, fit_threshold, snow_index
from stages.evaluate.glaciers import glacier_scores
from stages.evaluate.scores import expected_calibration_error, precision_recall, reliability, score


@dataclass(frozen=True)
class Scene:
    """A labelled scene and its split, all (H, W)."""

    pixels: Float32Array
    """(H, W, C) physical values, NaN where invalid."""
    bands: tuple[str, ...]
    glacier_id: UInt16Array
    ignored: BoolArray
    test: BoolArray
    train: BoolArray
    area_km2: Float64Array
    grid: Grid

    @property
    def truth(self) -> BoolArray:
        """Labelled glacier: the outlines themselves, ignore bands included."""
        return self.glacier_id > 0


def evaluate(run: Run) -> EvaluateMetrics:
    """Score model and baselines on the test blocks; write the tables and return the metrics."""
    scene = _load(run)
    info = read_info(run.path("artifacts/train/model.onnx"))
    probability = _map(info, scene)
    mapped = probability >= info.threshold
    bins = reliability(probability[scene.test], scene.truth[scene.test])
    glaciers = read_rows(run.path("artifacts/labels/glaciers.csv"), GlacierRow)
    rows = glacier_scores(
        mapped, scene.glacier_id, scene.test,
        area_km2=scene.area_km2, pixel_m=scene.grid.pixel_size_m, glaciers=glaciers,
    )  # fmt: skip
    write_table(run.out / "glacier_scores.csv", rows, GlacierScoreRow)
    curve = precision_recall(probability[scene.test], scene.truth[scene.test])
    write_table(run.out / "precision_recall.csv", curve, PrecisionRecallRow)
    write_table(run.out / "reliability.csv", bins, ReliabilityRow)
    metrics = _metrics(run, scene, mapped, expected_calibration_error(bins))
    _report(run, metrics)
    return metrics


def _load(run: Run) -> Scene:
    valid = read_band(run.path("artifacts/prepare/{evaluate_year}/valid.tif")) == 1
    with open_raster(run.path("artifacts/prepare/{evaluate_year}/scene.tif")) as dataset:
        grid, bands = grid_of(dataset), tuple(map(str, dataset.descriptions))
        pixels = np.moveaxis(dataset.read().astype(np.float32), 0, -1)
        pixels = pixels * np.float32(dataset.scales[0]) + np.float32(dataset.offsets[0])
    pixels[~valid] = np.nan
    roles = read_band(run.path("artifacts/patches/{evaluate_year}/split.tif"))
    return Scene(
        pixels=pixels,
        bands=bands,
        glacier_id=read_band(run.path("artifacts/labels/glacier_id.tif")),
        ignored=read_band(run.path("artifacts/labels/glacier.tif")) == IGNORE,
        test=valid & (roles == TEST),
        train=valid & (roles == TRAIN),
        area_km2=pixel_area_km2(grid),
        grid=grid,
    )


def _map(info: ModelInfo, scene: Scene) -> Float32Array:
    """(H, W) probability of the whole scene: the test blocks see what surrounds them, as they will in use."""
    plan = plan_for(info, *scene.grid.shape)
    session = open_session(info.path, height=plan.window_height, width=plan.window_width)
    probability = np.zeros(scene.grid.shape, dtype=np.float32)
    results = predict_windows(session, array_reader(scene.pixels), plan)
    for window, part in tqdm(results, total=len(plan), desc="evaluate", unit="window", disable=None):
        rows, columns = window.rows.keep_start, window.columns.keep_start
        probability[rows : rows + part.shape[0], columns : columns + part.shape[1]] = part
    return probability


def _metrics(run: Run, scene: Scene, mapped: BoolArray, calibration_error: float) -> EvaluateMetrics:
    def scored(map_: BoolArray, region: BoolArray = scene.test) -> Scores:
        return score(map_, scene.truth, region, scene.area_km2, scene.grid.pixel_size_m)

    rule, by_rule = _threshold_map(scene)
    return EvaluateMetrics(
        year=run.params.evaluate.year,
        test_area_km2=float(scene.area_km2[scene.test].sum()),
        test_glacier_km2=float(scene.area_km2[scene.test & scene.truth].sum()),
        model=scored(mapped),
        model_outside_ignore_band=scored(mapped, scene.test & ~scene.ignored),
        baseline_everything_is_glacier=scored(np.ones_like(mapped)),
        baseline_threshold=scored(by_rule),
        baseline_threshold_rule=str(rule),
        # The labels are the prior outlines: "the outline has not changed" would score 1 by construction.
        baseline_unchanged_outline=None,
        expected_calibration_error=calibration_error,
    )


def _threshold_map(scene: Scene) -> tuple[ThresholdRule, BoolArray]:
    name, index = snow_index(scene.pixels, scene.bands)
    rule = fit_threshold(index[scene.train], scene.truth[scene.train], name=name)
    return rule, index >= rule.threshold


def _report(run: Run, metrics: EvaluateMetrics) -> None:
    run.log.info(
        "held-out IoU %.3f, area bias %+.1f %%; everything-is-glacier %.3f; %s: %.3f",
        metrics.model.iou or 0, metrics.model.area_bias_pct or 0, metrics.baseline_everything_is_glacier.iou or 0,
        metrics.baseline_threshold_rule, metrics.baseline_threshold.iou or 0,
    )  # fmt: skip
