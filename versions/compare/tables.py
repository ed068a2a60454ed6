"""Rows of compare.json. A difference is always B minus A."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.display.phrases import products_of
from stages.common.tables.base import Fraction, NotNegative, Record

ComparisonVerdict = Literal["B is better", "B is worse", "cannot be told apart"]


class Side(Record):
    """One of the two versions."""

    name: str
    kind: str
    commit: str | None
    model_md5: str
    bands: list[str]
    maps: Annotated[
        str, Field(description="which maps were taken from DVC's cache, and which were made for this comparison")
    ]
    notes: list[str]
    product: Annotated[
        str | None, Field(description="product of the areas in its metrics; null: a version that does not say it")
    ] = None


class ParamDifference(Record):
    """A parameter that differs; null where a version does not have it."""

    name: str
    a: str | None
    b: str | None


class MetricDifference(Record):
    """A number of metrics/*.json as each version recorded it, on its own scenes and blocks."""

    name: str
    a: float | None
    b: float | None
    difference: Annotated[float | None, Field(description="null also between areas of two products")]


class YearDifference(Record):
    """One year, both models on the same scene."""

    year: int
    a_km2: NotNegative
    a_low_km2: Annotated[NotNegative, Field(description="lower end of the interval, as in glacier_area_by_year.csv")]
    a_high_km2: NotNegative
    b_km2: NotNegative
    b_low_km2: NotNegative
    b_high_km2: NotNegative
    difference_km2: float
    only_a_km2: Annotated[NotNegative, Field(description="ice in A's map alone, in the AOI, where both observed")]
    only_b_km2: NotNegative
    both_km2: NotNegative
    unseen_km2: Annotated[NotNegative, Field(description="part of the AOI that one of them did not observe")]

    @property
    def dispute_km2(self) -> float:
        """Ice for one model and not for the other, km2."""
        return self.only_a_km2 + self.only_b_km2


class GlacierDifference(Record):
    """One glacier in both versions."""

    rgi_id: str
    glac_name: str | None
    outline_km2: NotNegative
    a_km2: Annotated[NotNegative, Field(description="area in the last year")]
    b_km2: NotNegative
    difference_km2: float
    mean_difference_km2: Annotated[float, Field(description="mean of B minus A over all years")]


class Block(Record):
    """One test block of the spatial split: labelled ice, what each map hits of it, and what it maps beyond it, km2."""

    row: int
    column: int
    a_hit_km2: NotNegative
    a_false_km2: NotNegative
    b_hit_km2: NotNegative
    b_false_km2: NotNegative
    labelled_km2: NotNegative


class ScoreDifference(Record):
    """A score over the test blocks; `better` is the sign of a difference that is an improvement."""

    name: str
    unit: str
    better: Literal[-1, 1]
    a: float | None
    b: float | None
    difference: float | None
    low: Annotated[
        float | None, Field(description="lower end of the 95 % interval, from a paired bootstrap over blocks")
    ] = None
    high: float | None = None
    verdict: ComparisonVerdict


class Judgement(Record):
    """Verdict over the test blocks, and the scores it rests on."""

    verdict: ComparisonVerdict
    statement: str
    blocks: int
    draws: int
    measures: list[ScoreDifference]
    left_out: Annotated[int, Field(description="number of test blocks that one version has learned from")]


class VersionComparison(Record):
    """Content of compare.json."""

    site: str
    title: str
    simulated: bool
    years: list[int]
    year_tested: int
    a: Side
    b: Side
    same_model: bool
    params: list[ParamDifference]
    metrics: list[MetricDifference]
    product: Annotated[str, Field(description="of the areas of both; what is in dispute is of images alone")]
    areas: list[YearDifference]
    glaciers: list[GlacierDifference]
    blocks: list[Block]
    judgement: Judgement
    mean_dispute_fraction: Annotated[Fraction, Field(description="ice in dispute over ice in either map, all years")]

    @property
    def product_in_words(self) -> str:
        """What the areas of both rest on."""
        return products_of(self.product.split(";"))
