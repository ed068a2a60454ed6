"""Rows of the tables and documents about learning: patches and training. Units stand in the names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from stages.common.tables.base import Fraction, NotNegative, Record
from stages.common.tables.drift import BandReference

# --- patches -----------------------------------------------------------------------------------------------------


class PatchStats(Record):
    """artifacts/patches/<year>/stats.json: statistics per band over visible training pixels, in physical units."""

    year: int
    bands: list[str]
    scale: float
    offset: float
    mean: list[float]
    std: list[float]
    pixels: int
    training_patches: int
    validation_patches: int
    calibration_patches: Annotated[
        int, Field(description="number of calibration patches; 0: the only block is needed for validation")
    ] = 0
    patches_without_glacier: int
    glacier_fraction: Fraction
    buffer_px: int
    histogram: list[list[int]] = Field(
        default_factory=list, description="histogram of each band (stages.common.model.histograms)"
    )


# --- train -------------------------------------------------------------------------------------------------------


class EpochRow(Record):
    """One epoch of one member; the loss of a training that diverges is NaN."""

    model_config = ConfigDict(allow_inf_nan=True)

    member: Annotated[int, Field(ge=1, description="number of the ensemble's member")] = 1
    epoch: int
    loss: float
    iou: Fraction
    val_loss: float | None = None
    val_iou: Fraction | None = None
    learning_rate: NotNegative


DISPERSION_MIN = 0.1
"""Least dispersion of an error that is stated. Pixels that err independently have 1, and neighbours err together: the
demo has 3,000. Below, the blocks held nothing hard, and the error of a map would come out as 0."""


class AreaError(Record):
    """Errors of mapped areas on blocks that training saw nothing of, over pixels whose label is trusted.

    The model's error of an area is sqrt(dispersion x sum p (1 - p)) pixels: the binomial one, widened because
    errors of neighbouring pixels are alike (quasi-binomial; McCullagh and Nelder 1989).
    """

    blocks: Annotated[int, Field(ge=0)]
    dispersion: Annotated[
        NotNegative, Field(description="mean over blocks of d^2 / sum p (1 - p), d of sum p or mapped, the larger")
    ]
    factor_68: Annotated[
        float | None, Field(description="conformal quantile of |error| / sigma; null: too few blocks")
    ] = None
    factor_95: Annotated[float | None, Field(description="conformal quantile for 95 %; null below 19 blocks")] = None


class Calibrated(Record):
    """Temperature and threshold of a model, how they were chosen, and what calibration changed."""

    temperature: Annotated[float, Field(gt=0, description="number that logits are divided by; 1: as fitted")] = 1.0
    temperature_rule: str = "as fitted"
    threshold: Fraction
    threshold_rule: str = "given"
    calibration_pixels: Annotated[
        int, Field(ge=0, description="number of trusted pixels of the calibration blocks")
    ] = 0
    nll_as_fitted: Annotated[
        NotNegative | None, Field(description="negative log-likelihood in nats per calibration pixel, temperature 1")
    ] = None
    nll: Annotated[
        NotNegative | None, Field(description="negative log-likelihood in nats per calibration pixel, calibrated")
    ] = None
    ece_as_fitted: Annotated[Fraction | None, Field(description="expected calibration error, temperature 1")] = None
    ece: Annotated[Fraction | None, Field(description="expected calibration error, calibrated")] = None


class Int8Check(Record):
    """Maps of held-out blocks by the int8 graph of a model, beside those by its float32 graph."""

    iou_float32: Annotated[Fraction | None, Field(description="IoU by float32; null: nothing to compare")] = None
    iou: Annotated[Fraction | None, Field(description="IoU by int8")] = None
    area_change_pct: Annotated[float | None, Field(description="mapped area by int8 against float32")] = None
    refused: Annotated[str, Field(description="why the int8 graph may not be used; empty: it may")] = ""


class ModelCard(Calibrated):
    """How a model was made. No times and no host names: the same training gives the same card."""

    bands: list[str]
    scale: float
    offset: float
    stride_px: int
    receptive_field_radius_px: int
    parameters: int
    training_years: list[int]
    data_md5: Annotated[str, Field(description="MD5 of the patches that it was trained on")]
    members: Annotated[int, Field(ge=1)] = 1
    area_error: AreaError | None = None
    best_epoch: Annotated[int, Field(description="the first member's epoch with the least validation loss")]
    val_iou: Annotated[
        Fraction, Field(description="validation IoU at that epoch, at threshold 0.5; mean over the members")
    ]
    onnx_max_difference: Annotated[
        NotNegative, Field(description="largest difference of Keras and ONNX Runtime on real patches")
    ]
    tensorflow: str
    keras: str
    intra_op_threads: int
    instruction_set: Annotated[str, Field(description="what oneDNN used; changes a training's bits")]
    device: Literal["CPU", "GPU"]
    int8: Annotated[
        Int8Check | None,
        Field(exclude_if=lambda check: check is None, description="absent: train.int8 is off"),
    ] = None
    band_references: list[BandReference] = Field(
        default_factory=list, description="training pixels of each band, with which input drift is compared"
    )


class MorePatches(Record):
    """The patches of another site."""

    md5: Annotated[str, Field(description="hash of the folder, as DVC records it")]
    years: list[int]
    training_patches: int


class InitialModel(Record):
    """The model that a training started from."""

    md5: Annotated[str, Field(description="hash of the folder, as DVC records it")]
    val_iou: Annotated[
        Fraction | None, Field(description="validation IoU before the first step; mean over the members")
    ] = None


class LearnedFrom(Record):
    """artifacts/train/learned_from.json: all that the model has learned from beyond its site."""

    more_patches: list[MorePatches] = Field(default_factory=list)
    initial_model: InitialModel | None = None


class TrainMetrics(Calibrated):
    """metrics/train.json."""

    val_iou: Fraction
    best_epoch: int
    members: int = 1
    parameters: int
    onnx_max_difference: NotNegative
    intra_op_threads: int
    instruction_set: str


class MapModel(Record):
    """artifacts/predict/<year>/model.json: metadata of the model of a map."""

    threshold: Fraction
    threshold_rule: str
    temperature: Annotated[float, Field(gt=0)]
    members: Annotated[int, Field(ge=1)]
    area_error: AreaError | None = None
    precision: Annotated[
        Literal["float32", "int8"],
        Field(exclude_if=lambda precision: precision == "float32", description="graph that mapped; absent: float32"),
    ] = "float32"
    engine: Annotated[
        str,
        Field(
            exclude_if=lambda engine: engine == "onnxruntime",
            description="engine that mapped, with its version; absent: ONNX Runtime",
        ),
    ] = "onnxruntime"
