"""The base of all parts of ``params.yaml``, and the kinds of numbers in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Year = Annotated[int, Field(ge=1972, le=2100, description="Landsat 1 was launched in 1972")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of ``params.yaml``: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
