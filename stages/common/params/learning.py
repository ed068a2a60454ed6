"""What is learned, and how it is tested: the ``patches``, ``train`` and ``evaluate`` parts of params."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stages.common.params.section import Fraction, Section, Year

HELD_OUT_MAX_PX = 512
"""Largest side of a window of held-out pixels, if a training patch is not larger: memory grows with its square."""


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
        """Side of a stored training patch, its margin included."""
        return self.size_px + 2 * self.margin_px

    @property
    def held_out_size_px(self) -> int:
        """Side of a window of held-out pixels without its margin: a block, or one of the equal parts of a large one.

        It is rounded up to a multiple of what `size_px` and twice `margin_px` have in common, which the net can take.
        """
        longest_px = max(self.block_rows_px, self.block_columns_px)
        most_px = max(self.size_px, HELD_OUT_MAX_PX)
        step_px = math.gcd(self.size_px, 2 * self.margin_px)
        part_px = math.ceil(longest_px / math.ceil(longest_px / most_px))
        return math.ceil(part_px / step_px) * step_px


class AugmentationParams(Section):
    """Ranges of the random changes of a training patch (`stages.train.augment`)."""

    rotation_deg: Annotated[
        float, Field(ge=0, le=180, description="uniform in plus or minus this; wide ones change where light comes from")
    ] = 30.0
    log2_scale: Annotated[
        float, Field(ge=0, le=1, description="the zoom is 2^u with u uniform in plus or minus this")
    ] = 0.5
    shift_px: Annotated[float, Field(ge=0, description="shift of the centre, uniform in plus or minus this")] = 16.0
    flip: Annotated[bool, Field(description="mirror half of the patches")] = True
    mirror_azimuth_deg: Annotated[
        float, Field(ge=0, lt=360, description="axis of the mirror; the sun's azimuth keeps the light where it is")
    ] = 0.0
    gain: Annotated[
        float, Field(ge=0, le=1, description="all bands are multiplied by exp(u), u uniform in plus or minus this")
    ] = 0.1
    band_gain: Annotated[float, Field(ge=0, le=1, description="the same factor, drawn for each band by itself")] = 0.05
    offset: Annotated[
        float,
        Field(ge=0, le=1, description="added to all bands: uniform in plus or minus this, in standard deviations"),
    ] = 0.1
    band_offset: Annotated[float, Field(ge=0, le=1, description="the same offset, drawn for each band")] = 0.05
    hide_probability: Annotated[Fraction, Field(description="share of patches in which a rectangle is hidden")] = 0.5
    hide_max_px: Annotated[int, Field(ge=1, description="largest side of the hidden rectangle")] = 128


class PinnedFolder(Section):
    """A folder beyond the site, pinned by the hash of its content."""

    path: Annotated[str, Field(min_length=1, description="relative to the site's folder")]
    md5: Annotated[
        str,
        Field(
            pattern=r"^([0-9a-f]{32}\.dir)?$",
            description="hash of the folder as DVC records it in dvc.lock or a .dvc file; another content is refused",
        ),
    ] = ""


class PinnedPatches(PinnedFolder):
    """Patches of another site, pinned by the hash of their content."""

    may_overlap: Annotated[
        bool, Field(description="accept the coordinates of this site: simulated sites have other ground at one place")
    ] = False


class TrainParams(Section):
    """U-Net, loss, optimiser and augmentation."""

    base_channels: Annotated[int, Field(ge=2, le=128)] = 16
    depth: Annotated[int, Field(ge=1, le=6)] = 4
    stem: Annotated[Literal["full", "half"], Field(description="half: the U-Net works at half resolution")] = "half"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    bce_weight: Annotated[float, Field(ge=0)] = 1.0
    dice_weight: Annotated[float, Field(ge=0)] = 1.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    epochs: Annotated[int, Field(ge=1)] = 16
    steps_per_epoch: Annotated[int, Field(ge=1)] = 60
    patience_epochs: Annotated[
        int,
        Field(ge=1, description="epochs without a lower validation loss after which training ends"),
    ] = 16
    batch_size: Annotated[int, Field(ge=1)] = 8
    optimiser: Literal["adamw", "lion", "sgd"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, description="the highest; reached after a tenth of the steps")] = 2e-3
    schedule: Annotated[
        Literal["cosine", "constant"], Field(description="after the linear warm-up; cosine falls to 1 %")
    ] = "cosine"
    weight_decay: Annotated[float, Field(ge=0, description="decoupled; not applied to biases and normalisation")] = 0.1
    ema_momentum: Annotated[
        float, Field(ge=0, lt=1, description="momentum of the weights' moving average; 0: none")
    ] = 0.98
    augmentation: AugmentationParams = AugmentationParams()
    members: Annotated[int, Field(ge=1, le=16, description="nets of the ensemble, each with its own seed")] = 1
    calibrate: Annotated[bool, Field(description="temperature scaling on the calibration blocks")] = True
    threshold: Annotated[
        Annotated[float, Field(gt=0, lt=1)] | Literal["zero_area_bias"],
        Field(description="zero_area_bias: the mapped area is the labelled one over the validation fold's blocks"),
    ] = "zero_area_bias"
    seed: Annotated[int, Field(ge=0, description="seed of the first member; that of the n-th is n - 1 larger")] = 1
    threads: Annotated[int, Field(ge=1, description="intra-op threads; changes the bits of the model")] = 2
    precision: Annotated[
        Literal["float32", "mixed_bfloat16"], Field(description="precision of training; the model is float32")
    ] = "float32"
    int8: Annotated[
        bool,
        Field(
            exclude_if=lambda on: not on,
            description="whether model.onnx also holds an int8 graph, which predict.precision: int8 needs",
        ),
    ] = False
    instruction_set: Annotated[
        Literal["native", "AVX512_CORE_AMX", "AVX512_CORE_BF16", "AVX512_CORE_VNNI", "AVX512_CORE", "AVX2"],
        Field(description="bound on oneDNN; native: none; AVX2: the same bits on more machines"),
    ] = "native"
    more_patches: Annotated[
        list[PinnedPatches],
        Field(description="artifacts/patches of other sites, whose training patches are learned too"),
    ] = Field(default_factory=list)
    initial_model: Annotated[
        PinnedFolder | None,
        Field(
            description="artifacts/train of the model to start from; its normalisation is kept; null: random weights"
        ),
    ] = None

    @property
    def folders_beyond(self) -> list[str]:
        """Paths of all folders beyond the site that a training reads."""
        return [pin.path for pin in (*self.more_patches, self.initial_model) if pin]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        paths = [pin.path for pin in self.more_patches]
        if twice := sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"more_patches names a folder twice: {', '.join(twice)}")
        return self


class EvaluateParams(Section):
    """Held-out evaluation."""

    year: Annotated[Year, Field(description="the training year whose scene is scored")]
    clean_ratio_min: Annotated[
        float, Field(gt=1, le=5, description="red / short-wave infrared from which labelled ice counts as clean")
    ] = 2.0
