"""Rows of the tables and documents about held-out scores, of one training or all folds. Units stand in the names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record
from stages.common.tables.learning import AreaError

Count = Annotated[int, Field(ge=0)]


class Scores(Record):
    """Agreement of a map with the labels over held-out pixels. None: not defined (no pixel to score)."""

    iou: Fraction | None
    f1: Fraction | None
    precision: Fraction | None
    recall: Fraction | None
    area_bias_pct: Annotated[float | None, Field(description="(mapped - labelled) / labelled")]
    boundary_distance_m: Annotated[float | None, Field(description="mean over both boundaries to the other")]


class ScoreInterval(Record):
    """95 % bootstrap interval of the pooled scores: whole blocks are drawn, as pixels of a block err together."""

    blocks: Count
    iou_low95: Fraction | None = None
    iou_high95: Annotated[Fraction | None, Field(description="null: too few blocks")] = None
    area_bias_low95_pct: float | None = None
    area_bias_high95_pct: float | None = None


class HeldOutMetrics(Record):
    """What one training and a cross-validation both say of held-out pixels."""

    year: int
    test_area_km2: float
    test_glacier_km2: float
    model: Scores
    model_interval: ScoreInterval = ScoreInterval(blocks=0)
    model_outside_ignore_band: Annotated[Scores, Field(description="the same without pixels of the ignore bands")]
    baseline_everything_is_glacier: Scores
    baseline_threshold: Annotated[Scores, Field(description="band ratio or brightness, chosen on training pixels")]
    clean_recall: Annotated[Fraction | None, Field(description="of labelled clean ice; null: cannot be told")] = None
    debris_recall: Annotated[Fraction | None, Field(description="of labelled debris-covered ice")] = None
    surface_method: Annotated[str, Field(description="how clean and debris-covered ice were told apart")] = (
        "not available"
    )
    expected_calibration_error: Annotated[Fraction, Field(description="of the calibrated probability")]
    expected_calibration_error_uncalibrated: Annotated[
        Fraction | None, Field(description="of the probability as the net was fitted")
    ] = None


class EvaluateMetrics(HeldOutMetrics):
    """metrics/evaluate.json."""

    threshold: Annotated[Fraction, Field(description="of the model, from which a pixel is glacier")] = 0.5
    temperature: Annotated[float, Field(gt=0, description="of the model; 1: not calibrated")] = 1.0
    baseline_threshold_rule: str
    baseline_threshold_value: float | None = None


class FoldScores(Record):
    """One fold of a cross-validation: its own training, threshold and temperature."""

    fold: Count
    threshold: Fraction
    temperature: Annotated[float, Field(gt=0)]
    baseline_threshold_rule: str
    test_area_km2: Annotated[NotNegative, Field(description="that the fold adds to the map")]
    model: Scores


class Coverage(Record):
    """Share of blocks whose area lies in the interval that all other blocks give (leave one block out)."""

    blocks: Count
    coverage_68: Fraction | None = None
    coverage_95: Annotated[Fraction | None, Field(description="null below 20 blocks: 19 others are needed")] = None


class CrossvalMetrics(HeldOutMetrics):
    """metrics/crossval.json."""

    complete: Annotated[bool, Field(description="all folds of patches.folds are in it")]
    gap_km2: Annotated[NotNegative, Field(description="seen in the AOI, held out by no fold that ran")]
    folds: list[FoldScores]
    glaciers: Annotated[Count, Field(description="with a held-out pixel")]
    glacier_iou_median: Fraction | None
    glacier_area_bias_median_pct: float | None
    area_error: Annotated[AreaError | None, Field(description="conformal factors over all blocks")]
    area_coverage: Coverage


class GlacierScoreRow(Record):
    """Held-out part of one glacier."""

    rgi_id: str
    glac_name: str | None = None
    held_out_km2: NotNegative
    held_out_fraction: Annotated[Fraction, Field(description="1: training saw nothing of this glacier")]
    iou: Annotated[Fraction | None, Field(description="mapped ice belongs to the nearest outline")] = None
    f1: Fraction | None = None
    precision: Annotated[Fraction | None, Field(description="null: nothing was mapped there")] = None
    recall: Fraction | None = None
    area_bias_pct: float | None = None
    boundary_distance_m: float | None = None


class SliceRow(Record):
    """Pooled held-out scores of a part of the test pixels."""

    slice: Annotated[Literal["all", "surface", "size"], Field(description="what the parts are told apart by")]
    group: Annotated[str, Field(description="all; clean, debris: labelled ice alone, so recall alone; km2 of outlines")]
    n_glaciers: Annotated[Count, Field(description="with a held-out pixel")]
    labelled_km2: NotNegative
    iou: Fraction | None = None
    f1: Fraction | None = None
    precision: Fraction | None = None
    recall: Fraction | None = None
    area_bias_pct: float | None = None
    boundary_distance_m: float | None = None


class BlockRow(Record):
    """Held-out pixels of one block of the split. Trusted: pixels outside of the labels' ignore bands."""

    block_row: Count
    block_column: Count
    pixels: Count
    tp_px: Annotated[Count, Field(description="mapped, labelled")]
    fp_px: Annotated[Count, Field(description="mapped, not labelled")]
    fn_px: Annotated[Count, Field(description="labelled, not mapped")]
    tn_px: Count
    tp_km2: NotNegative
    fp_km2: NotNegative
    fn_km2: NotNegative
    tn_km2: NotNegative
    expected_px: Annotated[NotNegative, Field(description="sum p")]
    variance_px2: Annotated[NotNegative, Field(description="sum p (1 - p): as if pixels erred alone")]
    trusted_px: Count
    trusted_tp_px: Count
    trusted_fp_px: Count
    trusted_fn_px: Count
    trusted_tn_px: Count
    trusted_expected_px: NotNegative
    trusted_variance_px2: NotNegative


class PrecisionRecallRow(Record):
    """One threshold."""

    threshold: Fraction
    precision: Fraction
    recall: Fraction
    iou: Fraction


class ReliabilityRow(Record):
    """One bin of predicted probability."""

    kind: Annotated[
        Literal["calibrated", "uncalibrated"], Field(description="uncalibrated: before temperature scaling")
    ] = "calibrated"
    probability: Fraction
    observed_fraction: Fraction
    pixels: int
