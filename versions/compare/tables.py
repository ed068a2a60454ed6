"""Rows of compare.json. A difference is always B minus A."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record

Verdict = Literal["B is better", "B is worse", "cannot be told apart"]


class Side(Record):
    """One of the two versions."""

    name: str
    kind: str
    commit: str | None
    model_md5: str
    bands: list[str]
    maps: Annotated[str, Field(description="which maps were taken from DVC's cache, and which were made")]
    notes: list[str]


class ParamDifference(Record):
    """A parameter that differs; null: this version has none."""

    name: str
    a: str | None
    b: str | None


class MetricDifference(Record):
    """A number of metrics/*.json as each version recorded it, on its own scenes and blocks."""

    name: str
    a: float | None
    b: float | None
    difference: float | None


class YearDifference(Record):
    """One year, both models on the same scene."""

    year: int
    a_km2: NotNegative
    a_low_km2: Annotated[NotNegative, Field(description="interval as in glacier_area_by_year.csv")]
    a_high_km2: NotNegative
    b_km2: NotNegative
    b_low_km2: NotNegative
    b_high_km2: NotNegative
    difference_km2: float
    only_a_km2: Annotated[NotNegative, Field(description="ice in A's map alone, in the AOI, seen by both")]
    only_b_km2: NotNegative
    both_km2: NotNegative
    unseen_km2: Annotated[NotNegative, Field(description="of the AOI, not seen by one of them")]

    @property
    def dispute_km2(self) -> float:
        """Ice for one model and not for the other."""
        return self.only_a_km2 + self.only_b_km2


class GlacierDifference(Record):
    """One glacier."""

    rgi_id: str
    glac_name: str | None
    outline_km2: NotNegative
    a_km2: Annotated[NotNegative, Field(description="last year")]
    b_km2: NotNegative
    difference_km2: float
    mean_difference_km2: Annotated[float, Field(description="over all years")]


class Block(Record):
    """One test block of the spatial split; km2."""

    row: int
    column: int
    a_hit_km2: NotNegative
    a_false_km2: NotNegative
    b_hit_km2: NotNegative
    b_false_km2: NotNegative
    labelled_km2: NotNegative


class Measure(Record):
    """A score over the test blocks; `better` is the sign of a difference that is for the better."""

    name: str
    unit: str
    better: Literal[-1, 1]
    a: float | None
    b: float | None
    difference: float | None
    low: Annotated[float | None, Field(description="95 % interval, paired bootstrap over blocks")] = None
    high: float | None = None
    verdict: Verdict


class Judgement(Record):
    """What the test blocks say."""

    verdict: Verdict
    statement: str
    blocks: int
    draws: int
    measures: list[Measure]
    left_out: Annotated[int, Field(description="test blocks that one version has learned from")]


class Comparison(Record):
    """compare.json."""

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
    areas: list[YearDifference]
    glaciers: list[GlacierDifference]
    blocks: list[Block]
    judgement: Judgement
    mean_dispute_fraction: Annotated[Fraction, Field(description="km2 in dispute over ice in either, all years")]
