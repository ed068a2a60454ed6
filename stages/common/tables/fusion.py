"""What image and outline count for in the outlines product."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import NotNegative, Record


class FusionModel(Record):
    """outlines_product.json: what image and outline count for in the outlines product."""

    product: Literal["outlines"] = "outlines"
    statement: Annotated[str, Field(description="how far the outlines' edges have moved, in a sentence")]
    image_weight_front: Annotated[NotNegative, Field(description="weight of the image's log odds at a glacier's front")]
    image_weight_head: Annotated[NotNegative, Field(description="weight at its head")]
    drawn_m: Annotated[NotNegative, Field(description="scale of the error of an outline where nothing has changed")]
    decay: Annotated[NotNegative, Field(description="fall of the movement with height between front (0) and head (1)")]
    retreat_m_per_year: Annotated[float, Field(description="estimated mean movement of the fronts; positive: back")]
    spread_m_per_year: Annotated[NotNegative, Field(description="estimated scale of the movements about it")]
