"""Rows of the tables and documents that stages hand on. Units stand in the names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
AreaProduct = Annotated[
    Literal["outlines", "image"],
    Field(description="'outlines': image and inventory together; 'image': the image alone"),
]
"""What an area rests on."""
ImageProduct = Annotated[Literal["image"], Field(description="'image': from the images alone")]
"""Product of what never rests on the inventory's outlines."""


class Record(BaseModel):
    """A row or document: immutable; unknown keys, infinity and NaN are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AnyDocument(BaseModel):
    """A JSON object of any content."""

    model_config = ConfigDict(extra="allow")


class FeatureCollection(BaseModel):
    """GeoJSON."""

    model_config = ConfigDict(extra="allow")

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]
