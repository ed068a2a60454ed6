"""Spatial cross-validation: the ``crossval`` part of ``params.yaml``; no stage of the chain reads it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from stages.common.params.section import Section


class CrossvalParams(Section):
    """Which folds of the split `make crossval` tests, each by a training of its own."""

    folds: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...], Field(description="of 0 to patches.folds - 1; none: switched off")
    ] = ()

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        if list(self.folds) != sorted(set(self.folds)):
            raise ValueError(f"folds must be sorted and without duplicates: {list(self.folds)}")
        return self
