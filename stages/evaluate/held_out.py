"""Tables and metrics of held-out pixels, whether one training holds them out or each fold its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.geo.raster import write_cog
from stages.common.model.calibration import expected_calibration_error
from stages.common.model.probability import stored_levels
from stages.common.params.schema import Params
from stages.common.run.outputs import write_table
from stages.common.tables.evaluate import (
    BlockRow,
    GlacierScoreRow,
    PrecisionRecallRow,
    ReliabilityRow,
    Scores,
    SliceRow,
)
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.types import BoolArray, Float32Array
from stages.evaluate.blocks import block_rows, score_interval
from stages.evaluate.glaciers import glacier_scores
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import precision_recall_rows, reliability_rows, score
from stages.evaluate.slices import slice_rows


@dataclass(frozen=True, kw_only=True)
class HeldOutMap:
    """A map of pixels by models that were not trained on them; arrays are (H, W) where nothing else is said."""

    probability: Float32Array
    """(N,): calibrated probability of the N pixels of the region, 0-1, in the order of rows."""
    as_fitted: Float32Array
    """(N,): their probability before calibration."""
    mapped: BoolArray
    """Glacier, by the model's threshold; also beyond the region, so that its boundary does not end there."""
    by_rule: BoolArray
    """Glacier, by the baseline's threshold."""
    region: BoolArray
    """Pixels that are held out and observed."""


@dataclass(frozen=True)
class Tables:
    """The rows of the tables that were written."""

    glaciers: list[GlacierScoreRow]
    slices: list[SliceRow]
    blocks: list[BlockRow]
    reliability: list[ReliabilityRow]


def write_score_tables(out: Path, scene: LabelledScene, held_out: HeldOutMap, params: Params) -> Tables:
    """Write held_out.tif and the tables of scores."""
    tables = _tables(scene, held_out, params)
    curve = precision_recall_rows(held_out.probability, scene.truth[held_out.region])
    stored = np.full(scene.grid.shape, PROBABILITY_NODATA, dtype=np.uint16)
    stored[held_out.region] = stored_levels(held_out.probability)
    write_cog(out / "held_out.tif", stored, scene.grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    write_table(out / "glacier_scores.csv", tables.glaciers, GlacierScoreRow)
    write_table(out / "slices.csv", tables.slices, SliceRow)
    write_table(out / "blocks.csv", tables.blocks, BlockRow)
    write_table(out / "precision_recall.csv", curve, PrecisionRecallRow)
    write_table(out / "reliability.csv", tables.reliability, ReliabilityRow)
    return tables


def _tables(scene: LabelledScene, held_out: HeldOutMap, params: Params) -> Tables:
    glaciers = glacier_scores(
        held_out.mapped, scene.glacier_id, held_out.region, nearest=scene.nearest_glacier,
        area_km2=scene.area_km2, pixel_m=scene.grid.pixel_size_m, glaciers=scene.glaciers,
    )  # fmt: skip
    slices = slice_rows(scene, held_out.mapped, held_out.region)
    blocks = block_rows(scene, held_out.probability, held_out.mapped, held_out.region, params.patches)
    truth = scene.truth[held_out.region]
    bins = [
        *reliability_rows(held_out.probability, truth, "calibrated"),
        *reliability_rows(held_out.as_fitted, truth, "uncalibrated"),
    ]
    return Tables(glaciers, slices, blocks, bins)


def shared_metrics(scene: LabelledScene, held_out: HeldOutMap, tables: Tables, params: Params) -> dict[str, Any]:
    """Return the entries of `HeldOutMetrics`; the outlines are the labels, so they are not a baseline themselves."""

    def scored(map_: BoolArray, region: BoolArray = held_out.region) -> Scores:
        return score(map_, scene.truth, region, scene.area_km2, scene.grid.pixel_size_m)

    errors = {
        kind: expected_calibration_error([row for row in tables.reliability if row.kind == kind])
        for kind in ("calibrated", "uncalibrated")
    }
    recall = {row.group: row.recall for row in tables.slices if row.slice == "surface"}
    return {
        "year": params.evaluate.year,
        "test_area_km2": float(scene.area_km2[held_out.region].sum()),
        "test_glacier_km2": float(scene.area_km2[held_out.region & scene.truth].sum()),
        "model": scored(held_out.mapped),
        "model_interval": score_interval(tables.blocks),
        "model_outside_ignore_band": scored(held_out.mapped, held_out.region & ~scene.ignored),
        "baseline_everything_is_glacier": scored(np.ones_like(held_out.mapped)),
        "baseline_threshold": scored(held_out.by_rule),
        "clean_recall": recall.get("clean"),
        "debris_recall": recall.get("debris"),
        "surface_method": scene.surface_method,
        "expected_calibration_error": errors["calibrated"],
        "expected_calibration_error_uncalibrated": errors["uncalibrated"],
    }
