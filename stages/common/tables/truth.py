"""What is known to be true of a simulated site, and how far the pipeline's areas are from it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.tables.base import AreaProduct, Fraction, NotNegative, Record


class TrueGlacier(Record):
    """One glacier in one year."""

    rgi_id: str
    area_km2: NotNegative
    length_m: Annotated[NotNegative, Field(description="flow line from head to snout")]


class TrueYear(Record):
    """One year; areas are of the AOI's pixels, planimetric."""

    year: int
    glacier_area_km2: NotNegative
    debris_area_km2: Annotated[NotNegative, Field(description="more than half covered by debris")]
    glaciers: list[TrueGlacier]


class Truth(Record):
    """data/truth/truth.json; of a real site nothing is known, and `years` is empty."""

    simulated: bool
    years: list[TrueYear]


class TruthRow(Record):
    """One year of truth_by_year.csv: the best map against true glacier over the pixels that were seen."""

    year: int
    product: Annotated[
        AreaProduct | None, Field(description="of what has not `image` in its name; null in versions without it")
    ] = None
    true_area_km2: NotNegative
    mapped_area_km2: NotNegative
    error_km2: float
    error_pct: Annotated[float, Field(description="of the true area")]
    iou: Fraction
    debris_recall: Annotated[
        Fraction | None, Field(description="of the true debris-covered ice; null: there is none")
    ] = None
    clean_recall: Annotated[Fraction | None, Field(description="of the true clean ice; null: there is none")] = None
    image_area_km2: Annotated[NotNegative | None, Field(description="area mapped from the image alone")] = None
    image_iou: Annotated[Fraction | None, Field(description="IoU of the map from the image alone")] = None
    true_debris_km2: Annotated[NotNegative | None, Field(description="more than half covered")] = None
    mapped_debris_km2: Annotated[NotNegative | None, Field(description="null: it could not be told")] = None


class TruthMetrics(Record):
    """The part of metrics/area.json that only a simulated site has."""

    iou: Annotated[Fraction, Field(description="IoU of the maps of `product` over the pixels of all years")]
    mean_absolute_error_pct: NotNegative
    image_iou: Annotated[Fraction | None, Field(description="IoU of the maps from images alone")] = None
    image_mean_absolute_error_pct: NotNegative | None = None
    true_slope_km2_per_year: Annotated[
        float | None, Field(description="true slope (Theil-Sen) over the same pixels and years")
    ]
    slope_ratio: Annotated[
        float | None, Field(description="mapped slope over true slope; 1 is right, null: no true change")
    ]
    unchanged_outline_iou: Annotated[
        Fraction | None, Field(description="IoU of a baseline, the prior outline as the map of every year")
    ] = None
    unchanged_outline_mean_absolute_error_pct: NotNegative | None = None
