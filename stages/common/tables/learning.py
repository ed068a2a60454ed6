"""Rows of the tables and documents about learning: patches and training. Units stand in the names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record
from stages.common.tables.drift import BandReference

# --- patches -----------------------------------------------------------------------------------------------------


class PatchStats(Record):
    """artifacts/patches/<year>/stats.json; per band, over visible training pixels, in physical units."""

    year: int
    bands: list[str]
    scale: float
    offset: float
    mean: list[float]
    std: list[float]
    pixels: int
    training_patches: int
    validation_patches: int
    calibration_patches: Annotated[int, Field(description="0: one block validates, none is left to calibrate on")] = 0
    patches_without_glacier: int
    glacier_fraction: Fraction
    buffer_px: int
    histogram: list[list[int]] = Field(default_factory=list, description="per band; see stages.common.model.histograms")


# --- train -------------------------------------------------------------------------------------------------------


class EpochRow(Record):
    """One epoch of one member."""

    member: Annotated[int, Field(ge=1, description="of the ensemble")] = 1
    epoch: int
    loss: float
    iou: Fraction
    val_loss: float | None = None
    val_iou: Fraction | None = None
    learning_rate: NotNegative


class AreaError(Record):
    """How far mapped areas were off on blocks that training saw nothing of; over pixels whose label is trusted.

    The model's error of an area is sqrt(dispersion x sum p (1 - p)) pixels: the binomial one, widened because
    neighbouring pixels err together (quasi-binomial; McCullagh and Nelder 1989).
    """

    blocks: Annotated[int, Field(ge=0)]
    dispersion: Annotated[
        NotNegative, Field(description="mean over blocks of d^2 / sum p (1 - p), d of sum p or mapped, the larger")
    ]
    factor_68: Annotated[
        float | None, Field(description="conformal quantile of |error| / sigma; null: too few blocks")
    ] = None
    factor_95: Annotated[float | None, Field(description="null below 19 blocks")] = None


class Calibrated(Record):
    """Temperature and threshold of a model, how they were chosen, and what calibration changed."""

    temperature: Annotated[float, Field(gt=0, description="logits are divided by it; 1: as fitted")] = 1.0
    temperature_rule: str = "as fitted"
    threshold: Fraction
    threshold_rule: str = "given"
    calibration_pixels: Annotated[int, Field(ge=0, description="trusted pixels of the calibration blocks")] = 0
    nll_as_fitted: Annotated[NotNegative | None, Field(description="nats a calibration pixel, temperature 1")] = None
    nll: Annotated[NotNegative | None, Field(description="nats a calibration pixel, calibrated")] = None
    ece_as_fitted: Annotated[Fraction | None, Field(description="expected calibration error, temperature 1")] = None
    ece: Annotated[Fraction | None, Field(description="expected calibration error, calibrated")] = None


class ModelCard(Calibrated):
    """How a model was made. No times and no host names: the same training gives the same card."""

    bands: list[str]
    scale: float
    offset: float
    stride_px: int
    receptive_field_radius_px: int
    parameters: int
    training_years: list[int]
    data_md5: Annotated[str, Field(description="MD5 over the patches it learned from")]
    members: Annotated[int, Field(ge=1)] = 1
    area_error: AreaError | None = None
    best_epoch: Annotated[int, Field(description="the first member's")]
    val_iou: Annotated[Fraction, Field(description="at its best epoch, at 0.5; mean over the members")]
    onnx_max_difference: Annotated[NotNegative, Field(description="Keras against ONNX Runtime, real patches")]
    tensorflow: str
    keras: str
    intra_op_threads: int
    instruction_set: Annotated[str, Field(description="what oneDNN used, or oneDNN off; changes a training's bits")]
    device: Literal["CPU", "GPU"]
    band_references: list[BandReference] = Field(default_factory=list, description="what input drift is held against")


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
    """artifacts/predict/<year>/model.json: what the model of a map says of itself in its metadata."""

    threshold: Fraction
    threshold_rule: str
    temperature: Annotated[float, Field(gt=0)]
    members: Annotated[int, Field(ge=1)]
    area_error: AreaError | None = None
