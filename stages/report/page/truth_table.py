"""What a simulated site alone can tell: the maps against the true glaciers."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.tables.area import Trend, TruthMetrics
from stages.common.tables.truth import TruthRow
from stages.report.findings import Findings
from stages.report.numbers import Number, number, optional, signed
from stages.report.rounding import DECIMALS_WITHOUT_SIGMA

AREA_DECIMALS = DECIMALS_WITHOUT_SIGMA
"""The truth has no interval, and an error must not vanish in that of the map."""
SLOPE_DECIMALS = 3
NO_SLOPE = "none: it needs three years"


@dataclass(frozen=True, kw_only=True)
class TruthLine:
    """One year of the table."""

    year: int
    true: Number
    mapped: Number
    error: Number
    error_pct: Number
    iou: Number
    clean: Number | None
    debris: Number | None


@dataclass(frozen=True, kw_only=True)
class AgainstTruth:
    """The section of the page."""

    lines: list[TruthLine]
    iou: Number
    mean_absolute_error_pct: Number
    true_slope: str
    mapped_slope: str


def against_truth(findings: Findings) -> AgainstTruth | None:
    """The section, or None for a real site."""
    metrics = findings.area_metrics.truth
    if not findings.truth or metrics is None:
        return None
    true_slope, mapped_slope = slope_texts(findings.trend, metrics)
    return AgainstTruth(
        lines=[_line(row) for row in findings.truth],
        iou=number(metrics.iou, 3),
        mean_absolute_error_pct=number(metrics.mean_absolute_error_pct, 1),
        true_slope=true_slope,
        mapped_slope=mapped_slope,
    )


def slope_texts(trend: Trend, metrics: TruthMetrics) -> tuple[str, str]:
    """True and mapped slope of the common area; nothing to compare below three years."""
    true, mapped = metrics.true_slope_km2_per_year, trend.slope_km2_per_year
    if true is None or mapped is None:
        return NO_SLOPE, NO_SLOPE
    text = f"{signed(mapped, SLOPE_DECIMALS).shown} km² a year"
    low, high = trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    if low is not None and high is not None:
        text += f" (95 %: {signed(low, SLOPE_DECIMALS).shown} to {signed(high, SLOPE_DECIMALS).shown})"
    return f"{signed(true, SLOPE_DECIMALS).shown} km² a year", text


def _line(row: TruthRow) -> TruthLine:
    return TruthLine(
        year=row.year,
        true=number(row.true_area_km2, AREA_DECIMALS),
        mapped=number(row.mapped_area_km2, AREA_DECIMALS),
        error=signed(row.error_km2, AREA_DECIMALS),
        error_pct=signed(row.error_pct, 1),
        iou=number(row.iou, 3),
        clean=optional(row.clean_recall, 2),
        debris=optional(row.debris_recall, 2),
    )
