"""params.yaml of a starting model: the seeds, and of a site's parameters those that say what is learned and how."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from stages.common.errors import ParamsError
from stages.common.params.learning import PatchesParams, TrainParams
from stages.common.params.prepare import PrepareParams
from stages.common.params.schema import GridParams, LabelsParams, Params
from stages.common.params.section import Section, Year
from stages.common.run.documents import read_yaml

CORNER_M = (322_000, 3_406_000)
"""Left and bottom of every twin: simulated ground can lie anywhere."""

BLOCKS = 5
"""Blocks of the split along a side: with five, each fold has five."""

RETREAT_M_PER_YEAR, DEBRIS_FRACTION = (0, 40), (0.1, 0.5)
"""Least and largest of a twin, which its seed draws from."""

BEYOND = {"more_patches", "initial_model"}
"""What a site's section `train` may name, and that of a starting model may not."""

EARLY_SNOW, CLOUD = 0.5, 0.3
"""Share of the twins of which one year has early snow, and clouds."""


class StartParams(Section):
    """Twins that are learned from, and the training; each section is that of a site."""

    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    """A twin each; the first one also validates."""
    years: Annotated[list[Year], Field(min_length=1)]
    """Years of the scenes of each twin, 2016 to 2024."""
    grid: GridParams
    prepare: PrepareParams
    labels: LabelsParams = LabelsParams()
    patches: PatchesParams
    train: TrainParams = TrainParams()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds names one twice: {self.seeds}")
        return self

    @model_validator(mode="after")
    def _from_random_weights(self) -> Self:
        if self.train.folders_beyond:
            names = ", ".join(self.train.folders_beyond)
            raise ValueError(f"train names {names}, but the model learns from its twins alone, from random weights")
        return self


def read_params(path: Path = Path("params.yaml")) -> StartParams:
    """Read and check params.yaml.

    Raises
    ------
    ParamsError
        The file is absent, is not YAML, or breaks the schema, or the sections do not fit each other.
    """
    try:
        start = StartParams.model_validate(read_yaml(path))
        twin = params_of_twin(start, start.seeds[0])
        Params.model_validate(twin | {"train": start.train.model_dump(mode="json")})  # as the training reads them
    except ValidationError as error:
        problems = "; ".join(
            ": ".join([*filter(None, [".".join(map(str, problem["loc"]))]), problem["msg"]])
            for problem in error.errors()
        )
        raise ParamsError(
            "the parameters of a starting model break their schema", where=path, found=problems,
            expected="seeds, years, grid, prepare, labels, patches and train, each but the first two as of a site",
            fix="correct params.yaml; models/start has one",
        ) from error  # fmt: skip
    return start


def params_like(site: Params, seeds: Sequence[int], years: Sequence[int]) -> StartParams:
    """Return the parameters of a model for a site: its pixels, bands, labels, patches and training.

    The folders from which the site learns beside its own patches are no part of it.
    """
    values = site.model_dump(include={"grid", "prepare", "labels", "patches", "train"})
    values["train"] = {name: value for name, value in values["train"].items() if name not in BEYOND}
    return StartParams.model_validate({"seeds": list(seeds), "years": list(years), **values})


def params_of_twin(start: StartParams, seed: int) -> dict[str, Any]:
    """Return params.yaml of a twin as a site; what is random about it follows from the seed.

    The training's parameters are not in it: they change no twin.
    """
    chance, years = random.Random(seed), start.years
    twin = {
        "seed": seed,
        "retreat_m_per_year": round(chance.uniform(*RETREAT_M_PER_YEAR), 1),
        "debris_fraction": round(chance.uniform(*DEBRIS_FRACTION), 2),
        "early_snow_years": [chance.choice(years)] if chance.random() < EARLY_SNOW else [],
        "cloudy_years": [chance.choice(years)] if chance.random() < CLOUD else [],
    }
    (left, bottom), bands = CORNER_M, start.prepare.bands
    side_m = BLOCKS * max(start.patches.block_rows_px, start.patches.block_columns_px) * start.grid.pixel_size_m
    aoi = {"bounds": [left, bottom, left + side_m, bottom + side_m], "crs": start.grid.crs}
    return {
        "site": {"name": f"twin-{seed}", "title": f"Simulated twin {seed}", "simulated": True},
        "years": years,
        "training_years": years,
        "ingest": {"source": "twin", "twin": twin, "aoi": aoi},
        **start.model_dump(mode="json", include={"grid", "prepare", "labels", "patches"}),
        "train": {"depth": 1, "stem": "full"},  # patches of any size will do: the net is chosen later
        "evaluate": {"year": years[0]},
        "report": {"rgb": [*bands, *bands, *bands][:3]},
    }
