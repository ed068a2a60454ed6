"""One table of all figures that are called change, and why they differ."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display import rounding
from stages.common.display.numbers import decimals_for
from stages.common.display.phrases import IMAGES_ALONE, products_of
from stages.common.tables.area import Trend
from stages.common.tables.change import ChangeTrend
from stages.report.findings import Findings
from stages.report.ground_changes import change_total
from stages.report.numbers import Number, signed_number


@dataclass(frozen=True, kw_only=True)
class ChangeFigure:
    """A line of the table; km2 and km2 per year."""

    name: str
    ground: str
    """Ground that it counts."""
    per_year: Number | None
    per_year_ends: tuple[Number, Number] | None
    whole: Number | None
    whole_ends: tuple[Number, Number] | None
    use: str


def change_figures(findings: Findings) -> list[ChangeFigure]:
    """Return every figure of change that the page states; none for a single year."""
    if len(findings.areas) < 2:
        return []
    lines = [_images_alone(findings), _common_trend(findings), _two_years(findings), _all_observed(findings),
             _lost_and_gained(findings)]  # fmt: skip
    return [line for line in lines if line is not None]


def _images_alone(findings: Findings) -> ChangeFigure | None:
    trend = findings.statistics.change_trend
    return None if trend is None else _slope_figure(
        trend, name="Change product: the card above",
        ground=f"where glaciers can change, {IMAGES_ALONE}: {trend.domain_method}",
        use="how much was lost or gained: errors that all years share cancel, the day of the scene is taken out",
    )  # fmt: skip


def _common_trend(findings: Findings) -> ChangeFigure | None:
    return _slope_figure(
        findings.trend, name="Trend of the common area", ground=f"pixels observed in every year, {IMAGES_ALONE}",
        use="all years, snow and cloud off the glaciers included: carries the full error of each year’s map",
    )  # fmt: skip


def _slope_figure(trend: Trend | ChangeTrend, *, name: str, ground: str, use: str) -> ChangeFigure | None:
    if trend.slope_km2_per_year is None:
        return None
    digits = decimals_for(trend.minimum_detectable_km2_per_year or 0.0)
    return ChangeFigure(
        name=name, ground=ground, per_year=signed_number(trend.slope_km2_per_year, digits),
        per_year_ends=_ends(trend.slope_low_km2_per_year, trend.slope_high_km2_per_year, digits), whole=None,
        whole_ends=None, use=use,
    )  # fmt: skip


def _two_years(findings: Findings) -> ChangeFigure | None:
    trend = findings.trend
    if trend.change_km2 is None or trend.change_sigma_km2 is None:
        return None
    digits = decimals_for(trend.change_sigma_km2)
    return ChangeFigure(
        name=f"Common area, {trend.years[-1]} less {trend.years[0]}",
        ground=f"pixels observed in every year, {IMAGES_ALONE}",
        per_year=None, per_year_ends=None, whole=signed_number(trend.change_km2, digits),
        whole_ends=_ends(trend.change_low_km2, trend.change_high_km2, digits),
        use="two years alone, the others unused: the widest interval",
    )  # fmt: skip


def _all_observed(findings: Findings) -> ChangeFigure:
    first, last = findings.areas[0], findings.areas[-1]
    digits = rounding.decimals_of(findings.areas)
    return ChangeFigure(
        name=f"Whole area, {last.year} less {first.year}",
        ground=f"all that each year observed, {products_of(row.product for row in findings.areas)}",
        per_year=None, per_year_ends=None, whole=signed_number(last.glacier_area_km2 - first.glacier_area_km2, digits),
        whole_ends=None, use="no measure of change: years that saw more ground have more ice",
    )  # fmt: skip


def _lost_and_gained(findings: Findings) -> ChangeFigure | None:
    rows = findings.statistics.last_changes
    total = change_total(rows)
    if total is None:
        return None
    return ChangeFigure(
        name=f"Gained less lost ground, {rows[0].from_year} to {rows[0].year}",
        ground=f"pixels observed in both years, {IMAGES_ALONE}",
        per_year=None, per_year_ends=None, whole=total.net, whole_ends=None,
        use="where ice went or came; along edges it also holds the errors of both maps",
    )  # fmt: skip


def _ends(low: float | None, high: float | None, digits: int) -> tuple[Number, Number] | None:
    return None if low is None or high is None else (signed_number(low, digits), signed_number(high, digits))
