"""Rows of the tables and documents that `area` writes. Units stand in the names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.tables.base import AreaProduct, Fraction, ImageProduct, NotNegative, Record
from stages.common.tables.change import ChangeMetrics
from stages.common.tables.truth import TruthMetrics


class AreaRow(Record):
    """One year of glacier_area_by_year.csv."""

    year: int
    date: str | None = None
    glacier_area_km2: Annotated[NotNegative, Field(description="ice observed that year in the AOI")]
    area_low_km2: Annotated[NotNegative, Field(description="68 % interval of delineation and model together")]
    area_high_km2: NotNegative
    area_low95_km2: Annotated[NotNegative | None, Field(description="95 % interval")] = None
    area_high95_km2: NotNegative | None = None
    sigma_delineation_km2: Annotated[NotNegative | None, Field(description="buffer method, one sigma")] = None
    sigma_model_km2: Annotated[NotNegative | None, Field(description="from calibrated probability and ensemble")] = None
    sigma_season_km2: Annotated[
        NotNegative | None, Field(description="standard deviation over the season's scenes; null: one scene")
    ] = None
    interval_method: Annotated[str | None, Field(description="method of the 68 and 95 % intervals")] = None
    clean_ice_km2: Annotated[
        NotNegative | None, Field(description="area of clean ice; null: not distinguished, see surface_method")
    ] = None
    debris_covered_km2: NotNegative | None = None
    surface_method: Annotated[str | None, Field(description="how clean and debris-covered ice are told apart")] = None
    product: AreaProduct = "image"
    image_area_km2: Annotated[
        NotNegative | None, Field(description="ice mapped from the image alone; null in versions without it")
    ] = None
    common_area_km2: Annotated[
        NotNegative | None,
        Field(description="ice by the image alone, over pixels valid in every year that counts; null: year left out"),
    ] = None
    valid_fraction: Annotated[Fraction, Field(description="fraction of the AOI's pixels that were observed")]
    unseen_km2: Annotated[NotNegative, Field(description="part of the prior outlines that was not observed")]
    scene_ids: Annotated[str, Field(description="ids of the scenes, joined by ;")]
    model_md5: str


class GlacierAreaRow(Record):
    """One glacier in one year of area_by_glacier.csv."""

    year: int
    rgi_id: Annotated[str, Field(description="'unassigned': ice near no outline")]
    glac_name: str | None = None
    area_km2: NotNegative
    area_low_km2: Annotated[NotNegative | None, Field(description="68 % interval")] = None
    area_high_km2: NotNegative | None = None
    area_low95_km2: Annotated[NotNegative | None, Field(description="95 % interval")] = None
    area_high95_km2: NotNegative | None = None
    sigma_delineation_km2: NotNegative | None = None
    sigma_model_km2: NotNegative | None = None
    product: AreaProduct = "image"
    common_area_km2: Annotated[
        NotNegative | None, Field(description="by the image alone, over the common pixels; null: the year is left out")
    ] = None
    clean_ice_km2: NotNegative | None = None
    debris_covered_km2: NotNegative | None = None
    outline_area_km2: Annotated[NotNegative, Field(description="area of the prior outline in the AOI")]
    unseen_km2: NotNegative


class SeasonRow(Record):
    """One pass of a year in seasons.csv. Areas are over the pixels of the AOI that every pass of the year observed."""

    year: int
    product: ImageProduct = "image"
    pass_number: Annotated[int, Field(ge=1)]
    date: str | None = None
    area_km2: NotNegative
    difference_km2: Annotated[
        float, Field(description="area of this pass less that of the year's consensus: added minus missing")
    ]
    added_km2: Annotated[
        NotNegative, Field(description="area that is glacier in this pass and not in the consensus, for example snow")
    ]
    missing_km2: Annotated[NotNegative, Field(description="area that is glacier in the consensus and not in this pass")]
    consensus_km2: Annotated[NotNegative, Field(description="area of the consensus, the same in every row of a year")]
    shared_fraction: Annotated[Fraction, Field(description="fraction of the AOI's pixels that every pass observed")]


class GlacierTrendRow(Record):
    """One glacier of trend_by_glacier.csv: change of its common area; the table's rows are the glaciers tested."""

    rgi_id: str
    glac_name: str | None = None
    product: ImageProduct = "image"
    n_years: int
    first_area_km2: NotNegative
    slope_km2_per_year: float
    slope_low_km2_per_year: Annotated[float, Field(description="lower end of the 95 % interval")]
    slope_high_km2_per_year: float
    slope_pct_per_year: float | None = None
    minimum_detectable_km2_per_year: Annotated[
        float, Field(description="smallest slope that is detected with 80 % power at 5 %, two-sided")
    ]
    mann_kendall_p: Annotated[float, Field(description="exact p of the Mann-Kendall test, two-sided")]
    p_adjusted: Annotated[
        float, Field(description="p adjusted over all glaciers of the table (Benjamini and Hochberg 1995)")
    ]
    detectable: Annotated[
        bool, Field(description="whether the adjusted p is below 0.05 and the 95 % interval leaves 0 out")
    ]
    statement: Annotated[str | None, Field(description="the trend in a sentence")] = None


class FrontRow(Record):
    """One glacier in one year of terminus_by_year.csv."""

    year: int
    rgi_id: str
    glac_name: str | None = None
    product: ImageProduct = "image"
    flow_line: Annotated[str, Field(description="'given' by the user, the data that it was derived from, or 'none'")]
    position_m: Annotated[
        float | None, Field(description="position of the ice front along the flow line, from its head")
    ] = None
    position_sigma_m: Annotated[
        NotNegative | None, Field(description="error of edge, model and registration together, one sigma")
    ] = None
    retreat_m: Annotated[
        float | None, Field(description="retreat since the first year with a position; negative: advance")
    ] = None
    box_retreat_m: Annotated[
        float | None, Field(description="retreat by the box method: area lost in the box over its width")
    ] = None
    box_sigma_m: Annotated[
        NotNegative | None, Field(description="error of the year's area in the box over its width, one sigma")
    ] = None
    reason: Annotated[str | None, Field(description="reason why there is no position")] = None


class FrontTrendRow(Record):
    """One glacier of terminus_by_glacier.csv: retreat over the years, positive where the front went back."""

    rgi_id: str
    glac_name: str | None = None
    product: ImageProduct = "image"
    n_years: int
    first_year: int
    last_year: int
    retreat_m: Annotated[float, Field(description="retreat from the first to the last year with a position")]
    retreat_sigma_m: NotNegative
    rate_m_per_year: Annotated[float | None, Field(description="Theil-Sen slope; null: fewer than three years")] = None
    rate_low_m_per_year: Annotated[
        float | None,
        Field(
            description="lower end of the 95 % interval: the wider of Sen's interval and that of the positions' errors"
        ),
    ] = None
    rate_high_m_per_year: float | None = None
    box_rate_m_per_year: float | None = None
    minimum_detectable_m_per_year: float | None = None
    mann_kendall_p: float | None = None
    detectable: Annotated[bool | None, Field(description="whether the 95 % interval leaves 0 out")] = None
    statement: Annotated[str | None, Field(description="the rate in a sentence; empty below three years")] = None


class ChangeRow(Record):
    """One glacier of change_by_glacier.csv: a year's map against the first year's, over the pixels observed in both."""

    from_year: int
    year: int
    rgi_id: Annotated[str, Field(description="'unassigned': ice near no outline")]
    glac_name: str | None = None
    product: ImageProduct = "image"
    lost_km2: NotNegative
    gained_km2: NotNegative
    unchanged_km2: NotNegative
    unseen_km2: Annotated[
        NotNegative, Field(description="ice of either year, or prior outline, that one of the years did not observe")
    ]


class Trend(Record):
    """trend.json. Slopes of `common_area_km2` in decimal years."""

    product: ImageProduct = "image"
    n_years: int
    years: list[int]
    excluded_years: Annotated[list[int], Field(description="too little observed, or rejected by a person")]
    common_pixels_fraction: Fraction
    statement: Annotated[str, Field(description="the trend and what limits it, in a sentence")]
    slope_km2_per_year: float | None = None
    slope_low_km2_per_year: Annotated[
        float | None,
        Field(description="lower end of the 95 % interval; null: with fewer than five years there is none"),
    ] = None
    slope_high_km2_per_year: float | None = None
    slope_pct_per_year: Annotated[float | None, Field(description="slope in per cent of the first year's area")] = None
    mann_kendall_p: Annotated[float | None, Field(description="exact p of the Mann-Kendall test, two-sided")] = None
    minimum_detectable_km2_per_year: Annotated[
        float | None, Field(description="smallest slope that is detected with 80 % power at 5 %, two-sided")
    ] = None
    detectable: Annotated[bool | None, Field(description="whether the 95 % interval leaves 0 out")] = None
    sigma_km2: Annotated[
        NotNegative | None, Field(description="error of a year's area from which the detectable change follows")
    ] = None
    sigma_source: Annotated[
        str | None, Field(description="largest source of that error: scatter, propagated error or season")
    ] = None
    correlation_implied: Annotated[
        float | None,
        Field(ge=0, le=1, description="rho at which the years' errors explain the scatter, as an estimate"),
    ] = None
    autocorrelation: Annotated[
        float | None, Field(ge=-1, le=1, description="correlation of the residuals of neighbouring years")
    ] = None
    glaciers_tested: Annotated[int | None, Field(ge=0)] = None
    glaciers_detectable: Annotated[
        int | None, Field(ge=0, description="glaciers with a detectable trend, at a false discovery rate of 5 %")
    ] = None
    glaciers_note: Annotated[str | None, Field(description="glaciers that were tested, and why others were not")] = None
    change_km2: Annotated[
        float | None, Field(description="area of the last less the first year used; null: fewer than two years")
    ] = None
    change_low_km2: Annotated[float | None, Field(description="lower end of the 95 % interval")] = None
    change_high_km2: float | None = None
    change_sigma_km2: NotNegative | None = None
    correlation_between_years: Annotated[
        float | None, Field(ge=0, lt=1, description="rho of the errors of two years that the change assumes")
    ] = None


class AreaSeries(Record):
    """series.json: the rows of the tables, unrounded."""

    years: list[AreaRow]
    glaciers: list[GlacierAreaRow]
    glacier_trends: list[GlacierTrendRow]
    changes: list[ChangeRow] = Field(
        default_factory=list, description="change of each glacier; empty in versions that did not write it"
    )
    seasons: list[SeasonRow] = Field(
        default_factory=list, description="passes of each year; empty where no year has several"
    )


class GateFinding(Record):
    """Finding of a gate."""

    gate: str
    passed: Annotated[bool, Field(description="whether the gate passed; true also where it failed and was overridden")]
    message: str
    overridden: Annotated[
        bool, Field(description="whether the gate failed and an expert let it pass (gates.override)")
    ] = False


class Gates(Record):
    """gates.json."""

    findings: list[GateFinding]


class AreaMetrics(Record):
    """metrics/area.json: what `dvc metrics diff` compares."""

    product: Annotated[
        AreaProduct | None,
        Field(description="of areas, their errors and `truth`, but for its slopes; null in versions without it"),
    ] = None
    trend_product: Annotated[
        ImageProduct, Field(description="of the change and slope of the common area, glaciers tested and speckle")
    ] = "image"
    n_years: int
    first_year: int
    last_year: int
    first_area_km2: float
    last_area_km2: float
    mean_sigma_km2: Annotated[float, Field(description="mean error of delineation and model together, one sigma")]
    mean_sigma_delineation_km2: float | None = None
    mean_sigma_model_km2: Annotated[
        float | None, Field(description="mean error of the model, one sigma; null: the model states no errors")
    ] = None
    mean_half_width95_km2: Annotated[float | None, Field(description="mean half width of the 95 % interval")] = None
    change_pct: float | None = None
    change_km2: Annotated[float | None, Field(description="common area, last less first year used")] = None
    change_sigma_km2: float | None = None
    slope_km2_per_year: float | None = None
    minimum_detectable_km2_per_year: float | None = None
    glaciers_tested: int | None = None
    glaciers_detectable: int | None = None
    speckle_removed_km2: Annotated[float, Field(description="largest area of speckle that was removed in a year")]
    area_by_year_km2: dict[str, float]
    gates_failed: int
    gates_overridden: int = 0
    truth: Annotated[TruthMetrics | None, Field(description="scores against the truth; null: a real site")] = None
    change: Annotated[ChangeMetrics | None, Field(description="change product; null: fewer than three years")] = None
