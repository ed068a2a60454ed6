"""The schema of ``params.yaml``: every knob that changes a result, with its unit and range.

Unknown keys are refused, so that a misspelt knob never passes for the default.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from stages.common.errors import ParamsError, did_you_mean
from stages.common.params.area import AreaParams, GatesParams
from stages.common.params.crossval import CrossvalParams
from stages.common.params.ingest import IngestParams
from stages.common.params.learning import EvaluateParams, PatchesParams, TrainParams
from stages.common.params.prepare import PrepareParams
from stages.common.params.promote import PromoteParams
from stages.common.params.section import Positive, Section, Year
from stages.common.yaml_text import load_yaml

PARAMS_BYTES_MAX = 2**24
"""Largest params.yaml; one with a thousand scenes has 100 kB."""


Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200, description="one line of text")]


class ContactParams(Section):
    """Person who answers for the results when they are handed on (`make submit`), and what only a person knows."""

    name: Line
    institution: Line
    email: Annotated[str | None, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] = None
    country: Annotated[
        str | None, Field(pattern=r"^[A-Z]{2}$", description="country of the glaciers: two letters of ISO 3166")
    ] = None
    instrument: Annotated[
        Line | None, Field(description="instrument of images whose names do not state it, as ETM+")
    ] = None
    license: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9.+-]+$", description="licence of the results as SPDX names it; other: none of them"),
    ] = "other"
    wgms_ids: dict[str, int] = Field(
        default_factory=dict, description="number that the WGMS has given to a glacier, by rgi_id"
    )
    references: list[Line] = Field(default_factory=list, description="publications on the data or the method, with DOI")


class SiteParams(Section):
    """Name and title of the site that is mapped."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Line
    simulated: bool = False
    contact: Annotated[
        ContactParams | None, Field(exclude=True, description="changes no result, and no run records it")
    ] = None


class GridParams(Section):
    """The grid that all years share. The AOI gives the extent, snapped outwards to whole pixels."""

    crs: Annotated[str, Field(description="projected CRS in metres, as EPSG:32644")]
    pixel_size_m: Positive
    origin_m: Annotated[tuple[float, float], Field(description="a point that pixel corners fall on (x, y)")] = (
        0.0,
        0.0,
    )


class LabelsParams(Section):
    """Outlines to training labels."""

    boundary_ignore_m: Annotated[
        Annotated[float, Field(ge=0)] | Literal["by_age"],
        Field(description="half width of the ignore band; by_age: 2 m for each year between outline and training"),
    ] = "by_age"
    terminus_ignore_m: Annotated[
        Annotated[float, Field(ge=0)] | Literal["by_age"],
        Field(description="ignore radius at the front; by_age: 20 m for each year between outline and training"),
    ] = "by_age"
    learn_from_review: Annotated[
        bool, Field(description="whether outlines that a person drew replace those of the inventory in training labels")
    ] = False


Engine = Literal["onnxruntime", "openvino"]
"""What runs a model's graph."""


class PredictParams(Section):
    """Model that maps the scenes."""

    model: Literal["artifacts/train/model.onnx", "models/champion/model.onnx"] = "artifacts/train/model.onnx"
    precision: Annotated[
        Literal["float32", "int8"],
        Field(
            exclude_if=lambda precision: precision == "float32",
            description="graph of the model that maps; int8: only of a model trained with train.int8",
        ),
    ] = "float32"
    engine: Annotated[
        Engine,
        Field(
            exclude_if=lambda engine: engine == "onnxruntime",
            description="what runs the graph; openvino: the same bytes with AVX2 and AVX-512, after `make openvino`",
        ),
    ] = "onnxruntime"


class ReportParams(Section):
    """Pictures of the report. They never change a number."""

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
    labels: LabelsParams = LabelsParams()
    patches: PatchesParams
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams
    crossval: CrossvalParams = CrossvalParams()
    predict: PredictParams = PredictParams()
    area: AreaParams = AreaParams()
    gates: GatesParams = GatesParams()
    report: ReportParams
    promote: PromoteParams = PromoteParams()

    @model_validator(mode="after")
    def _years_agree(self) -> Self:
        for name in ("years", "training_years"):
            years = getattr(self, name)
            if years != sorted(set(years)):
                raise ValueError(f"{name} must be sorted and without duplicates: {years}")
        if stray := sorted(set(self.training_years) - set(self.years)):
            raise ValueError(f"training_years are not all among years: {stray}")
        if self.evaluate.year not in self.training_years:
            raise ValueError(f"evaluate.year {self.evaluate.year} is not among training_years")
        if stray_bands := sorted(set(self.report.rgb) - set(self.prepare.bands)):
            raise ValueError(f"report.rgb names bands that prepare.bands lacks: {stray_bands}")
        return self

    @model_validator(mode="after")
    def _folds_exist(self) -> Self:
        if stray := [fold for fold in self.crossval.folds if fold >= self.patches.folds]:
            raise ValueError(f"crossval.folds {stray} are not below patches.folds ({self.patches.folds})")
        return self

    @model_validator(mode="after")
    def _patches_fit_the_network(self) -> Self:
        stride = 2 ** (self.train.depth + (self.train.stem == "half"))
        for name, side in (("size_px", self.patches.size_px), ("size_px + 2 margin_px", self.patches.full_size_px)):
            if side % stride:
                raise ValueError(f"patches.{name} is {side}; train.depth and train.stem need multiples of {stride}")
        return self


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check ``params.yaml``.

    Raises
    ------
    ParamsError
        The file is absent, is not valid YAML, or breaks the schema; every key that breaks it is named.
    """
    try:
        return Params.model_validate(_read_yaml(path))
    except ValidationError as error:
        problems = "; ".join(map(_problem, error.errors()))
        raise ParamsError(
            f"{error.error_count()} parameter(s) break the schema",
            where=path,
            found=problems,
            fix="correct params.yaml; `python -m stages.common.params` prints the schema",
        ) from error


def _problem(error: Any) -> str:
    """Return which parameter breaks the schema and how; of an unknown one, which known one is spelt like it."""
    place, text = error["loc"], error["msg"]
    if error["type"] == "extra_forbidden":
        text = f"there is no such parameter{did_you_mean(str(place[-1]), _names(place[:-1]))}"
    return f"{'.'.join(map(str, place)) or 'params'}: {text}"


def _names(place: Iterable[int | str]) -> Iterable[str]:
    """Return the names of the parameters in the section at `place`; none where no section stands there."""
    section: Any = Params
    for part in place:
        field = getattr(section, "model_fields", {}).get(part)
        section = field and field.annotation
    return getattr(section, "model_fields", {})


def _read_yaml(path: Path) -> Any:
    if not path.exists():
        raise ParamsError(
            "params.yaml is absent", where=path.resolve().parent, fix="run in the root or in a site's folder"
        )
    if not path.is_file() or (size := path.stat().st_size) > PARAMS_BYTES_MAX:
        raise ParamsError(
            "params.yaml is no file of parameters",
            where=path,
            expected=f"a file of at most {PARAMS_BYTES_MAX} bytes",
            found=f"{size} bytes" if path.is_file() else "something else than a file",
            fix="`git checkout -- params.yaml`",
        )
    try:
        return load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError("params.yaml is not valid YAML", where=path, found=" ".join(str(error).split())) from error


def section_values(params: Params, names: Iterable[str]) -> dict[str, Any]:
    """Return the named sections of the parameters as plain values, defaults included."""
    return params.model_dump(mode="json", include=set(names))
