"""The schema of ``params.yaml``: every knob that changes a result, with its unit and range.

Unknown keys are refused, so that a misspelt knob never passes for the default.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from stages.common.errors import ParamsError
from stages.common.params_ingest import IngestParams
from stages.common.params_prepare import PrepareParams
from stages.common.section import Section

Year = Annotated[int, Field(ge=1972, le=2100, description="Landsat 1 was launched in 1972")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class SiteParams(Section):
    """What is mapped."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Annotated[str, Field(min_length=1)]
    simulated: bool = False


class GridParams(Section):
    """The one grid of all years. The AOI gives the extent, snapped outwards to whole pixels."""

    crs: Annotated[str, Field(description="projected CRS in metres, as EPSG:32644")]
    pixel_size_m: Positive
    origin_m: Annotated[tuple[float, float], Field(description="a point that pixel corners fall on (x, y)")] = (
        0.0,
        0.0,
    )


class LabelsParams(Section):
    """Outlines to training labels."""

    boundary_ignore_m: Annotated[float, Field(ge=0, description="half width of the ignore band")]
    terminus_ignore_m: Annotated[
        float, Field(ge=0, description="ignore radius at the terminus: age of outline x retreat per year")
    ]


class PatchesParams(Section):
    """Training patches and their spatial split."""

    size_px: Annotated[int, Field(ge=16, le=1024)] = 128
    margin_px: Annotated[int, Field(ge=0, le=256, description="kept around a patch for rotation and shift")] = 32
    stride_px: Annotated[int, Field(ge=1)] = 64
    block_rows_px: Annotated[int, Field(ge=8)]
    block_columns_px: Annotated[int, Field(ge=8)]
    folds: Annotated[int, Field(ge=3, le=20, description="block (r, c) belongs to fold (c + 2 r) mod folds")] = 5
    test_fold: Annotated[int, Field(ge=0)] = 0
    validation_fold: Annotated[int, Field(ge=0)] = 1
    buffer_px: Annotated[int, Field(ge=0, description="hidden around held-out blocks")] = 32

    @model_validator(mode="after")
    def _folds_fit(self) -> Self:
        if self.test_fold == self.validation_fold:
            raise ValueError("test_fold and validation_fold must differ")
        if max(self.test_fold, self.validation_fold) >= self.folds:
            raise ValueError(f"test_fold and validation_fold must be below folds ({self.folds})")
        return self

    @property
    def full_size_px(self) -> int:
        """Side of a stored patch, its margin included."""
        return self.size_px + 2 * self.margin_px


class AugmentationParams(Section):
    """Random changes of a training patch; see `stages.train.augment.AugmentConfig`."""

    rotation_deg: Annotated[
        float, Field(ge=0, le=180, description="uniform in plus or minus this; wide ones turn the light")
    ] = 30.0
    log2_scale: Annotated[float, Field(ge=0, le=1)] = 0.5
    shift_px: Annotated[float, Field(ge=0)] = 16.0
    flip: bool = True
    mirror_azimuth_deg: Annotated[
        float, Field(ge=0, lt=360, description="axis of the mirror; the sun's azimuth keeps the light where it is")
    ] = 0.0
    gain: Annotated[float, Field(ge=0, le=1)] = 0.1
    band_gain: Annotated[float, Field(ge=0, le=1)] = 0.05
    offset: Annotated[float, Field(ge=0, le=1, description="in standard deviations of the band")] = 0.1
    band_offset: Annotated[float, Field(ge=0, le=1)] = 0.05
    hide_probability: Fraction = 0.5
    hide_max_px: Annotated[int, Field(ge=1)] = 128


class TrainParams(Section):
    """U-Net, loss, optimiser and augmentation."""

    base_channels: Annotated[int, Field(ge=2, le=128)] = 16
    depth: Annotated[int, Field(ge=1, le=6)] = 4
    stem: Annotated[Literal["full", "half"], Field(description="half: the U-Net works at half resolution")] = "half"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    bce_weight: Annotated[float, Field(ge=0)] = 1.0
    dice_weight: Annotated[float, Field(ge=0)] = 1.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    epochs: Annotated[int, Field(ge=1)]
    steps_per_epoch: Annotated[int, Field(ge=1)]
    patience_epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)] = 8
    optimiser: Literal["adamw", "lion", "sgd"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, description="the highest; reached after a tenth of the steps")] = 2e-3
    schedule: Annotated[
        Literal["cosine", "constant"], Field(description="after the linear warm-up; cosine falls to 1 %")
    ] = "cosine"
    weight_decay: Annotated[float, Field(ge=0, description="decoupled; not on biases and normalisation")] = 0.1
    ema_momentum: Annotated[float, Field(ge=0, lt=1, description="of the weights' moving average; 0: none")] = 0.98
    augmentation: AugmentationParams = AugmentationParams()
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    seed: Annotated[int, Field(ge=0)] = 1
    threads: Annotated[int, Field(ge=1, description="intra-op threads; changes the bits of the model")] = 2
    precision: Annotated[
        Literal["float32", "mixed_bfloat16"], Field(description="of the fitting; the model is float32")
    ] = "float32"
    instruction_set: Annotated[
        Literal["native", "AVX512_CORE_AMX", "AVX512_CORE_BF16", "AVX512_CORE_VNNI", "AVX512_CORE", "AVX2"],
        Field(description="bound on oneDNN; native is fastest, AVX2 is the same on more machines"),
    ] = "native"


class EvaluateParams(Section):
    """Held-out evaluation."""

    year: Annotated[Year, Field(description="the training year whose scene is scored")]


class PredictParams(Section):
    """Which model maps the scenes."""

    model: Literal["artifacts/train/model.onnx", "models/champion/model.onnx"]


class AreaParams(Section):
    """Mask to area."""

    min_polygon_area_m2: Annotated[float, Field(ge=0, description="RGI's smallest glacier is 10,000 m2")] = 1e4
    boundary_buffer_px: Annotated[
        float, Field(gt=0, le=5, description="half a pixel for clean ice, one for debris (Paul et al. 2013)")
    ] = 1.0
    common_valid_fraction_min: Annotated[
        Fraction, Field(description="a year below it is left out of the common area, and named")
    ] = 0.8
    assign_distance_m: Annotated[
        float, Field(ge=0, description="ice this near an outline is counted to that glacier")
    ] = 500.0


class GatesParams(Section):
    """Bounds beyond which a number cannot be true; a breach fails the run with exit 1."""

    aoi_to_outlines_ratio_min: Positive = 1.5
    glacier_fraction_of_aoi_max: Fraction = 0.9
    area_to_outlines_ratio: tuple[Positive, Positive] = (0.5, 1.5)
    annual_change_pct_max: Positive = 5.0
    baseline_step_pct_max: Positive = 5.0
    valid_fraction_min: Fraction = 0.8
    missing_years_max: Annotated[int, Field(ge=0)] = 0
    iou_over_baseline_min: Annotated[float, Field(ge=-1, le=1)] = 0.0


class ReportParams(Section):
    """Pictures. They never change a number."""

    rgb: Annotated[list[str], Field(min_length=3, max_length=3)]
    frame_seconds: Positive = 1.0


class Params(Section):
    """The whole of ``params.yaml``."""

    site: SiteParams
    years: Annotated[list[Year], Field(min_length=1)]
    training_years: Annotated[list[Year], Field(min_length=1)]
    grid: GridParams
    ingest: IngestParams
    prepare: PrepareParams
    labels: LabelsParams
    patches: PatchesParams
    train: TrainParams
    evaluate: EvaluateParams
    predict: PredictParams
    area: AreaParams
    gates: GatesParams
    report: ReportParams

    @model_validator(mode="after")
    def _years_agree(self) -> Self:
        for name in ("years", "training_years"):
            listed = getattr(self, name)
            if listed != sorted(set(listed)):
                raise ValueError(f"{name} must be sorted and without doubles: {listed}")
        if stray := sorted(set(self.training_years) - set(self.years)):
            raise ValueError(f"training_years are not all among years: {stray}")
        if self.evaluate.year not in self.training_years:
            raise ValueError(f"evaluate.year {self.evaluate.year} is not among training_years")
        if stray_bands := sorted(set(self.report.rgb) - set(self.prepare.bands)):
            raise ValueError(f"report.rgb names bands that prepare.bands lacks: {stray_bands}")
        return self

    @model_validator(mode="after")
    def _patches_fit_the_network(self) -> Self:
        stride = 2 ** (self.train.depth + (self.train.stem == "half"))
        for name, side in (("size_px", self.patches.size_px), ("size_px + 2 margin_px", self.patches.full_size_px)):
            if side % stride:
                raise ValueError(f"patches.{name} is {side}; train.depth and stem ask for multiples of {stride}")
        return self


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check ``params.yaml``.

    Raises
    ------
    ParamsError
        The file is absent, is no YAML, or breaks the schema; every broken key is named.
    """
    try:
        return Params.model_validate(_read_yaml(path))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'params'}: {e['msg']}" for e in error.errors())
        raise ParamsError(
            f"{error.error_count()} parameter(s) break the schema",
            where=path,
            found=problems,
            fix="correct params.yaml; `python -m stages.common.params` prints the schema",
        ) from error


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParamsError(
            "params.yaml is absent", where=path.resolve().parent, fix="run in the root or in a site's folder"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError("params.yaml is no YAML", where=path, found=" ".join(str(error).split())) from error


if __name__ == "__main__":
    import json

    print(json.dumps(Params.model_json_schema(), indent=2))
