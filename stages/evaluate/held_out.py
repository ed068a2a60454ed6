"""Tables and metrics of held-out pixels, whether one training holds them out or each fold its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.geo.planes import Bits
from stages.common.geo.raster import write_cog
from stages.common.geo.rows import strips
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
from stages.common.types import Rows, UInt16Array
from stages.evaluate.blocks import HeldOut, block_rows, score_interval
from stages.evaluate.boundaries import Boundaries, measure_boundaries
from stages.evaluate.glaciers import glacier_scores
from stages.evaluate.planes import ROWS_AT_ONCE, made, total
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import Parts, precision_recall_rows, reliability_rows, score
from stages.evaluate.slices import slice_rows


@dataclass(frozen=True, kw_only=True)
class HeldOutMap:
    """A map of pixels by models that were not trained on them; planes are (H, W)."""

    probability: HeldOut
    """Given some rows, returns (N,) calibrated probability of their pixels in the region, 0-1, in the order of rows."""
    as_fitted: HeldOut
    """The same before calibration."""
    mapped: Bits
    """Glacier, by the model's threshold; also beyond the region, so that its boundary does not end there."""
    by_rule: Bits
    """Glacier, by the baseline's threshold."""
    region: Bits
    """Pixels that are held out and observed."""


@dataclass(frozen=True)
class Tables:
    """The rows of the tables that were written."""

    glaciers: list[GlacierScoreRow]
    slices: list[SliceRow]
    blocks: list[BlockRow]
    reliability: list[ReliabilityRow]
    boundaries: Boundaries
    """The boundaries of the model's map and of the labels, on which rows rest."""


def write_score_tables(out: Path, scene: LabelledScene, held_out: HeldOutMap, params: Params) -> Tables:
    """Write held_out.tif and the tables of scores."""
    tables = _tables(scene, held_out, params)
    curve = precision_recall_rows(_parts(held_out.probability, scene, held_out))
    _write_map(out, scene, held_out)
    write_table(out / "glacier_scores.csv", tables.glaciers, GlacierScoreRow)
    write_table(out / "slices.csv", tables.slices, SliceRow)
    write_table(out / "blocks.csv", tables.blocks, BlockRow)
    write_table(out / "precision_recall.csv", curve, PrecisionRecallRow)
    write_table(out / "reliability.csv", tables.reliability, ReliabilityRow)
    return tables


def _write_map(out: Path, scene: LabelledScene, held_out: HeldOutMap) -> None:
    def stored(rows: slice) -> UInt16Array:
        region = held_out.region[rows]
        levels = np.full(region.shape, PROBABILITY_NODATA, dtype=np.uint16)
        levels[region] = stored_levels(held_out.probability(rows))
        return levels

    levels = made(held_out.region, np.uint16, stored)
    write_cog(out / "held_out.tif", levels, scene.grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)


def _parts(probability: HeldOut, scene: LabelledScene, held_out: HeldOutMap) -> Parts:
    """Yield a probability and whether it is labelled glacier, of the held-out pixels."""
    for rows in strips(scene.grid.height, ROWS_AT_ONCE):
        yield probability(rows), scene.truth[rows][held_out.region[rows]]


def _tables(scene: LabelledScene, held_out: HeldOutMap, params: Params) -> Tables:
    nearest = scene.nearest_glacier(held_out.region & (held_out.mapped | scene.truth))
    boundaries = measure_boundaries(held_out.mapped, scene.truth, held_out.region)
    glaciers = glacier_scores(
        held_out.mapped, scene.glacier_id, held_out.region, nearest=nearest, boundaries=boundaries,
        area_km2=scene.area_km2, pixel_m=scene.grid.pixel_size_m, glaciers=scene.glaciers, count=scene.numbers,
    )  # fmt: skip
    slices = slice_rows(scene, held_out.mapped, held_out.region, nearest=nearest, boundaries=boundaries)
    blocks = block_rows(scene, held_out.probability, held_out.mapped, held_out.region, params.patches)
    bins = [
        *reliability_rows(_parts(held_out.probability, scene, held_out), "calibrated"),
        *reliability_rows(_parts(held_out.as_fitted, scene, held_out), "uncalibrated"),
    ]
    return Tables(glaciers, slices, blocks, bins, boundaries)


def shared_metrics(scene: LabelledScene, held_out: HeldOutMap, tables: Tables, params: Params) -> dict[str, Any]:
    """Return the entries of `HeldOutMetrics`; the outlines are the labels, so they are not a baseline themselves."""

    def scored(map_: Rows, region: Bits = held_out.region, boundaries: Boundaries | None = None) -> Scores:
        pixel_m = scene.grid.pixel_size_m
        return score(map_, scene.truth, region, scene.area_km2, pixel_m, boundaries=boundaries)

    errors = {
        kind: expected_calibration_error([row for row in tables.reliability if row.kind == kind])
        for kind in ("calibrated", "uncalibrated")
    }
    recall = {row.group: row.recall for row in tables.slices if row.slice == "surface"}
    return {
        "year": params.evaluate.year,
        "test_area_km2": total(scene.area_km2, held_out.region),
        "test_glacier_km2": total(scene.area_km2, held_out.region & scene.truth),
        "model": scored(held_out.mapped, boundaries=tables.boundaries),
        "model_interval": score_interval(tables.blocks),
        "model_outside_ignore_band": scored(held_out.mapped, held_out.region & ~scene.ignored, tables.boundaries),
        "baseline_everything_is_glacier": scored(~Bits(scene.grid.shape)),
        "baseline_threshold": scored(held_out.by_rule),
        "clean_recall": recall.get("clean"),
        "debris_recall": recall.get("debris"),
        "surface_method": scene.surface_method,
        "expected_calibration_error": errors["calibrated"],
        "expected_calibration_error_uncalibrated": errors["uncalibrated"],
    }
