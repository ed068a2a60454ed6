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
    area_bias_pct: Annotated[float | None, Field(description="(mapped - labelled) / labelled area, in per cent")]
    boundary_distance_m: Annotated[float | None, Field(description="mean distance from each boundary to the other one")]


class ScoreInterval(Record):
    """95 % bootstrap interval of the pooled scores: whole blocks are drawn, as pixels of a block err together."""

    blocks: Count
    iou_low95: Fraction | None = None
    iou_high95: Annotated[Fraction | None, Field(description="upper end of the interval; null: too few blocks")] = None
    area_bias_low95_pct: float | None = None
    area_bias_high95_pct: float | None = None


class HeldOutMetrics(Record):
    """Scores over held-out pixels, of one training or of a cross-validation."""

    year: int
    test_area_km2: float
    test_glacier_km2: float
    model: Scores
    model_interval: ScoreInterval = ScoreInterval(blocks=0)
    model_outside_ignore_band: Annotated[
        Scores, Field(description="scores of the model without pixels of the ignore bands")
    ]
    baseline_everything_is_glacier: Scores
    baseline_threshold: Annotated[
        Scores, Field(description="scores of a threshold on band ratio or brightness, chosen on training pixels")
    ]
    clean_recall: Annotated[
        Fraction | None, Field(description="recall of labelled clean ice; null: not distinguished")
    ] = None
    debris_recall: Annotated[Fraction | None, Field(description="recall of labelled debris-covered ice")] = None
    surface_method: Annotated[str, Field(description="method that distinguishes clean from debris-covered ice")] = (
        "not available"
    )
    expected_calibration_error: Annotated[
        Fraction, Field(description="expected calibration error of the calibrated probability")
    ]
    expected_calibration_error_uncalibrated: Annotated[
        Fraction | None, Field(description="expected calibration error of the probability before calibration")
    ] = None


class EvaluateMetrics(HeldOutMetrics):
    """metrics/evaluate.json."""

    threshold: Annotated[Fraction, Field(description="probability from which the model calls a pixel glacier")] = 0.5
    temperature: Annotated[float, Field(gt=0, description="temperature of the model; 1: not calibrated")] = 1.0
    baseline_threshold_rule: str
    baseline_threshold_value: float | None = None


class FoldScores(Record):
    """One fold of a cross-validation: its own training, threshold and temperature."""

    fold: Count
    threshold: Fraction
    temperature: Annotated[float, Field(gt=0)]
    baseline_threshold_rule: str
    test_area_km2: Annotated[NotNegative, Field(description="area that the fold adds to the map")]
    model: Scores


class Coverage(Record):
    """Share of blocks whose area lies in the interval that all other blocks give (leave one block out)."""

    blocks: Count
    coverage_68: Fraction | None = None
    coverage_95: Annotated[
        Fraction | None,
        Field(description="share of blocks in the 95 % interval; null below 20 blocks, as 19 others are needed"),
    ] = None


class CrossvalMetrics(HeldOutMetrics):
    """metrics/crossval.json."""

    complete: Annotated[bool, Field(description="whether all folds of patches.folds are included")]
    gap_km2: Annotated[NotNegative, Field(description="area observed in the AOI that no fold held out")]
    folds: list[FoldScores]
    glaciers: Annotated[Count, Field(description="number of glaciers with a held-out pixel")]
    glacier_iou_median: Fraction | None
    glacier_area_bias_median_pct: float | None
    area_error: Annotated[AreaError | None, Field(description="dispersion and conformal factors over all blocks")]
    area_coverage: Coverage


class GlacierScoreRow(Record):
    """Scores over the held-out part of one glacier."""

    rgi_id: str
    glac_name: str | None = None
    held_out_km2: NotNegative
    held_out_fraction: Annotated[
        Fraction, Field(description="part of the glacier that was held out; 1: training saw nothing of it")
    ]
    iou: Annotated[Fraction | None, Field(description="IoU, with mapped ice assigned to the nearest outline")] = None
    f1: Fraction | None = None
    precision: Annotated[Fraction | None, Field(description="precision; null: nothing was mapped there")] = None
    recall: Fraction | None = None
    area_bias_pct: float | None = None
    boundary_distance_m: float | None = None


class SliceRow(Record):
    """Pooled held-out scores of a part of the test pixels."""

    slice: Annotated[Literal["all", "surface", "size"], Field(description="property by which the pixels are divided")]
    group: Annotated[
        str,
        Field(description="all; clean or debris, labelled ice only and therefore only recall; or km2 of outlines"),
    ]
    n_glaciers: Annotated[Count, Field(description="number of glaciers with a held-out pixel")]
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
    tp_px: Annotated[Count, Field(description="pixels that are mapped and labelled")]
    fp_px: Annotated[Count, Field(description="pixels that are mapped and not labelled")]
    fn_px: Annotated[Count, Field(description="pixels that are labelled and not mapped")]
    tn_px: Count
    tp_km2: NotNegative
    fp_km2: NotNegative
    fn_km2: NotNegative
    tn_km2: NotNegative
    expected_px: Annotated[NotNegative, Field(description="expected pixels of glacier: sum p")]
    variance_px2: Annotated[
        NotNegative, Field(description="variance sum p (1 - p), as if the errors of pixels were independent")
    ]
    trusted_px: Count
    trusted_tp_px: Count
    trusted_fp_px: Count
    trusted_fn_px: Count
    trusted_tn_px: Count
    trusted_expected_px: NotNegative
    trusted_variance_px2: NotNegative


class PrecisionRecallRow(Record):
    """Scores at one threshold."""

    threshold: Fraction
    precision: Fraction
    recall: Fraction
    iou: Fraction


class ReliabilityRow(Record):
    """One bin of predicted probability."""

    kind: Annotated[
        Literal["calibrated", "uncalibrated"],
        Field(description="uncalibrated: the probability before temperature scaling"),
    ] = "calibrated"
    probability: Fraction
    observed_fraction: Fraction
    pixels: int
