"""Rows of the tables and documents that `area` writes. Units stand in the names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record


class AreaRow(Record):
    """One year of glacier_area_by_year.csv."""

    year: int
    date: str | None = None
    glacier_area_km2: Annotated[NotNegative, Field(description="ice seen that year in the AOI")]
    area_low_km2: Annotated[NotNegative, Field(description="68 % interval of delineation and model together")]
    area_high_km2: NotNegative
    area_low95_km2: Annotated[NotNegative | None, Field(description="95 % interval")] = None
    area_high95_km2: NotNegative | None = None
    sigma_delineation_km2: Annotated[NotNegative | None, Field(description="buffer method, one sigma")] = None
    sigma_model_km2: Annotated[NotNegative | None, Field(description="from calibrated probability and ensemble")] = None
    sigma_season_km2: Annotated[
        NotNegative | None, Field(description="spread of the season's scenes; null: one scene")
    ] = None
    interval_method: Annotated[str | None, Field(description="what the 68 and 95 % rest on")] = None
    clean_ice_km2: Annotated[NotNegative | None, Field(description="null: cannot be told, see surface_method")] = None
    debris_covered_km2: NotNegative | None = None
    surface_method: Annotated[str | None, Field(description="how clean and debris-covered ice were told apart")] = None
    common_area_km2: Annotated[
        NotNegative | None, Field(description="ice over pixels valid in every year that counts; null: year left out")
    ] = None
    valid_fraction: Annotated[Fraction, Field(description="of the AOI's pixels")]
    unseen_km2: Annotated[NotNegative, Field(description="part of the prior outlines not seen")]
    scene_ids: Annotated[str, Field(description="joined by ;")]
    model_md5: str


class GlacierAreaRow(Record):
    """One glacier in one year."""

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
    common_area_km2: Annotated[NotNegative | None, Field(description="null: the year is left out")] = None
    clean_ice_km2: NotNegative | None = None
    debris_covered_km2: NotNegative | None = None
    outline_area_km2: Annotated[NotNegative, Field(description="prior outline in the AOI")]
    unseen_km2: NotNegative


class SeasonRow(Record):
    """One pass of a year in seasons.csv. Areas are over the pixels of the AOI that every pass of the year has seen."""

    year: int
    pass_number: Annotated[int, Field(ge=1)]
    date: str | None = None
    area_km2: NotNegative
    difference_km2: Annotated[float, Field(description="against the year's consensus: added minus missing")]
    added_km2: Annotated[NotNegative, Field(description="glacier in this pass and not in the consensus, as snow is")]
    missing_km2: Annotated[NotNegative, Field(description="glacier in the consensus and not in this pass")]
    consensus_km2: Annotated[NotNegative, Field(description="the same in every row of a year")]
    shared_fraction: Annotated[Fraction, Field(description="of the AOI's pixels: seen by every pass")]


class GlacierTrendRow(Record):
    """One glacier of trend_by_glacier.csv: change of its common area; the table's rows are the glaciers tested."""

    rgi_id: str
    glac_name: str | None = None
    n_years: int
    first_area_km2: NotNegative
    slope_km2_per_year: float
    slope_low_km2_per_year: Annotated[float, Field(description="95 %")]
    slope_high_km2_per_year: float
    slope_pct_per_year: float | None = None
    minimum_detectable_km2_per_year: Annotated[float, Field(description="80 % power, 5 % two-sided")]
    mann_kendall_p: Annotated[float, Field(description="exact, two-sided")]
    p_adjusted: Annotated[float, Field(description="Benjamini and Hochberg (1995), over all glaciers of the table")]
    detectable: Annotated[bool, Field(description="adjusted p below 0.05, and not below the minimum detectable")]


class FrontRow(Record):
    """One glacier in one year of terminus_by_year.csv."""

    year: int
    rgi_id: str
    glac_name: str | None = None
    flow_line: Annotated[str, Field(description="'given', what it was derived from, or 'none'")]
    position_m: Annotated[float | None, Field(description="of the ice front, along the flow line from its head")] = None
    position_sigma_m: Annotated[
        NotNegative | None, Field(description="edge, model and the scene's place together, one sigma")
    ] = None
    retreat_m: Annotated[float | None, Field(description="since the first year seen; negative: advance")] = None
    box_retreat_m: Annotated[float | None, Field(description="area lost in the box over its width")] = None
    box_sigma_m: Annotated[NotNegative | None, Field(description="of the year's area in the box over its width")] = None
    reason: Annotated[str | None, Field(description="why there is no position")] = None


class FrontTrendRow(Record):
    """One glacier of terminus_by_glacier.csv: retreat over the years, positive where the front went back."""

    rgi_id: str
    glac_name: str | None = None
    n_years: int
    first_year: int
    last_year: int
    retreat_m: Annotated[float, Field(description="from the first to the last year seen")]
    retreat_sigma_m: NotNegative
    rate_m_per_year: Annotated[float | None, Field(description="Theil-Sen; null: fewer than three years")] = None
    rate_low_m_per_year: Annotated[
        float | None, Field(description="95 %; the wider of Sen's interval and that of the positions' errors")
    ] = None
    rate_high_m_per_year: float | None = None
    box_rate_m_per_year: float | None = None
    minimum_detectable_m_per_year: float | None = None
    mann_kendall_p: float | None = None
    detectable: bool | None = None


class ChangeRow(Record):
    """One glacier of change_by_glacier.csv: a year's map against the first year's, over the pixels seen in both."""

    from_year: int
    year: int
    rgi_id: Annotated[str, Field(description="'unassigned': ice near no outline")]
    glac_name: str | None = None
    lost_km2: NotNegative
    gained_km2: NotNegative
    unchanged_km2: NotNegative
    unseen_km2: Annotated[NotNegative, Field(description="ice of either year, or prior outline, not seen in one")]


class Trend(Record):
    """trend.json. Slopes of `common_area_km2` in decimal years."""

    n_years: int
    years: list[int]
    excluded_years: Annotated[list[int], Field(description="valid fraction below the bound")]
    common_pixels_fraction: Fraction
    statement: Annotated[str, Field(description="one honest sentence")]
    slope_km2_per_year: float | None = None
    slope_low_km2_per_year: Annotated[
        float | None, Field(description="95 %; null: with fewer than five years there is none")
    ] = None
    slope_high_km2_per_year: float | None = None
    slope_pct_per_year: Annotated[float | None, Field(description="of the first year's area")] = None
    mann_kendall_p: Annotated[float | None, Field(description="exact, two-sided")] = None
    minimum_detectable_km2_per_year: Annotated[float | None, Field(description="80 % power, 5 % two-sided")] = None
    detectable: bool | None = None
    sigma_km2: Annotated[
        NotNegative | None, Field(description="error of a year's area that the detectable change rests on")
    ] = None
    sigma_source: Annotated[str | None, Field(description="which of scatter, propagated error, season is largest")] = (
        None
    )
    correlation_implied: Annotated[
        float | None,
        Field(ge=0, le=1, description="rho at which the years' errors explain the scatter, a guess"),
    ] = None
    autocorrelation: Annotated[float | None, Field(ge=-1, le=1, description="of the residuals at lag one")] = None
    glaciers_tested: Annotated[int | None, Field(ge=0)] = None
    glaciers_detectable: Annotated[int | None, Field(ge=0, description="with the false discovery rate at 5 %")] = None
    glaciers_note: Annotated[str | None, Field(description="which glaciers were tested, and why others were not")] = (
        None
    )
    change_km2: Annotated[float | None, Field(description="last less first year used; null: fewer than two")] = None
    change_low_km2: Annotated[float | None, Field(description="95 %")] = None
    change_high_km2: float | None = None
    change_sigma_km2: NotNegative | None = None
    correlation_between_years: Annotated[
        float | None, Field(ge=0, lt=1, description="rho of the errors of two years that the change rests on")
    ] = None


class AreaSeries(Record):
    """series.json: the rows of the tables, unrounded."""

    years: list[AreaRow]
    glaciers: list[GlacierAreaRow]
    glacier_trends: list[GlacierTrendRow]
    changes: list[ChangeRow] = Field(default_factory=list, description="absent in old versions")
    seasons: list[SeasonRow] = Field(default_factory=list, description="none where no year has several passes")


class GateFinding(Record):
    """What one gate found."""

    gate: str
    passed: Annotated[bool, Field(description="true as well where it failed and was overridden")]
    message: str
    overridden: Annotated[bool, Field(description="failed, but named in gates.override: an expert let it pass")] = False


class Gates(Record):
    """gates.json."""

    findings: list[GateFinding]


class TruthMetrics(Record):
    """The part of metrics/area.json that only a simulated site has."""

    iou: Annotated[Fraction, Field(description="all years pooled")]
    mean_absolute_error_pct: NotNegative
    true_slope_km2_per_year: Annotated[float | None, Field(description="Theil-Sen, over the same pixels and years")]
    slope_ratio: Annotated[float | None, Field(description="mapped over true slope; 1 is right, null: no true change")]
    unchanged_outline_iou: Annotated[
        Fraction | None, Field(description="the baseline: the prior outline as the map of every year")
    ] = None
    unchanged_outline_mean_absolute_error_pct: NotNegative | None = None


class AreaMetrics(Record):
    """metrics/area.json: what `dvc metrics diff` compares."""

    n_years: int
    first_year: int
    last_year: int
    first_area_km2: float
    last_area_km2: float
    mean_sigma_km2: Annotated[float, Field(description="delineation and model together, one sigma")]
    mean_sigma_delineation_km2: float | None = None
    mean_sigma_model_km2: Annotated[float | None, Field(description="null: the model says nothing of its errors")] = (
        None
    )
    mean_half_width95_km2: Annotated[float | None, Field(description="half of the 95 % interval")] = None
    change_pct: float | None = None
    change_km2: Annotated[float | None, Field(description="of the common area, last less first year used")] = None
    change_sigma_km2: float | None = None
    slope_km2_per_year: float | None = None
    minimum_detectable_km2_per_year: float | None = None
    glaciers_tested: int | None = None
    glaciers_detectable: int | None = None
    speckle_removed_km2: Annotated[float, Field(description="largest of the years")]
    area_by_year_km2: dict[str, float]
    gates_failed: int
    gates_overridden: int = 0
    truth: Annotated[TruthMetrics | None, Field(description="null: a real site")] = None
