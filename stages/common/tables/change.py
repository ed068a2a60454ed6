"""Rows of the change product: what the images alone say of the ground where glaciers can change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import NotNegative, Record


class ChangeAreaRow(Record):
    """One year of change_area_by_year.csv. Areas are over the pixels observed in every year that counts."""

    year: int
    product: Annotated[
        Literal["change"], Field(description="'change': from images alone, within the change domain")
    ] = "change"
    date: str | None = None
    change_area_km2: Annotated[
        NotNegative | None, Field(description="ice within the change domain; null: too little of the AOI was observed")
    ] = None
    adjusted_area_km2: Annotated[
        NotNegative | None,
        Field(description="the same without the effect of the scene's day in the season; null: not used"),
    ] = None
    control_km2: Annotated[
        NotNegative | None, Field(description="ice mapped beyond the change domain: the negative control")
    ] = None
    used: Annotated[bool, Field(description="whether the trend rests on this year")]
    reason: Annotated[str | None, Field(description="reason why the year is not used")] = None


class ChangeTrend(Record):
    """change_trend.json: least-squares slope of `change_area_km2` in decimal years, the season's day taken out."""

    product: Literal["change"] = "change"
    n_years: int
    years: list[int]
    excluded_years: Annotated[list[int], Field(description="too little observed, or rejected by a person")]
    flagged_years: Annotated[
        list[int], Field(description="years with much more ice than others where no glacier can be: not used")
    ]
    statement: Annotated[str, Field(description="the trend and what limits it, in a sentence")]
    domain_method: Annotated[str, Field(description="ground that the change domain consists of")]
    domain_km2: Annotated[NotNegative, Field(description="common pixels within the change domain")]
    control_ground_km2: Annotated[NotNegative, Field(description="common pixels beyond it: the negative control")]
    slope_km2_per_year: float | None = None
    slope_low_km2_per_year: Annotated[
        float | None, Field(description="lower end of the 95 % interval; null: fewer than five years")
    ] = None
    slope_high_km2_per_year: float | None = None
    slope_pct_per_year: float | None = None
    control_slope_km2_per_year: Annotated[
        float | None,
        Field(description="slope of the ice beyond the domain, 0 where its own interval holds 0; widens the interval"),
    ] = None
    p: Annotated[float | None, Field(ge=0, le=1, description="two-sided p of the slope, Student's t")] = None
    minimum_detectable_km2_per_year: Annotated[
        NotNegative | None, Field(description="smallest slope that is detected with 80 % power at 5 %, two-sided")
    ] = None
    detectable: Annotated[bool | None, Field(description="whether the 95 % interval leaves 0 out")] = None
    first_area_km2: Annotated[NotNegative | None, Field(description="fitted area of the first year used")] = None
    sigma_own_km2: Annotated[
        NotNegative | None, Field(description="error of a year that it shares with no other: scatter about the fit")
    ] = None
    sigma_season_km2: Annotated[
        NotNegative | None, Field(description="spread of the effect of the scenes' days; 0: not fitted")
    ] = None
    sigma_shared_km2: Annotated[
        NotNegative | None, Field(description="rest of the stated error of an area, which all years share")
    ] = None
    season_km2_per_day: Annotated[
        float | None, Field(description="change of the mapped area per day later in the season; null: not fitted")
    ] = None
    sigma_passes_km2: Annotated[
        NotNegative | None,
        Field(description="error of a year by the passes of its season, the least of `sigma_own_km2`; null: one pass"),
    ] = None
    sigma_members_km2_per_year: Annotated[
        NotNegative | None,
        Field(description="standard error of the slope by the members of an ensemble; null: one model"),
    ] = None
    own_se_km2_per_year: Annotated[
        NotNegative | None, Field(description="standard error of the slope by the years' own errors")
    ] = None
    slope_se_km2_per_year: Annotated[
        NotNegative | None,
        Field(
            description="standard error of the slope, with the drift of the shared error and the members of an ensemble"
        ),
    ] = None
    correlation_between_years: Annotated[
        float | None, Field(ge=0, le=1, description="shared part of the variance of a year's error")
    ] = None


class ChangeMetrics(Record):
    """The part of metrics/area.json that belongs to the change product."""

    product: Literal["change"] = "change"
    n_years: int
    slope_km2_per_year: float
    minimum_detectable_km2_per_year: NotNegative
    detectable: bool
    sigma_own_km2: NotNegative
    true_slope_km2_per_year: Annotated[
        float | None, Field(description="true slope over the same pixels and years; null: a real site")
    ] = None
    slope_ratio: Annotated[
        float | None, Field(description="slope over true slope; 1 is right, null: a real site, or no true change")
    ] = None
