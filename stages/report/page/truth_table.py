"""The maps against the true glaciers, which only a simulated site has."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display.rounding import DECIMALS_WITHOUT_SIGMA
from stages.common.tables.area import Trend
from stages.common.tables.truth import TruthMetrics, TruthRow
from stages.report.findings import Findings
from stages.report.numbers import Number, optional_number, plain_number, signed_number

AREA_DECIMALS = DECIMALS_WITHOUT_SIGMA
"""The true area has no interval, and the rounding of the mapped area must not hide an error."""
SLOPE_DECIMALS = 3
NO_SLOPE = "none: a slope needs three years"


@dataclass(frozen=True, kw_only=True)
class TruthLine:
    """One year of the table; areas in km2."""

    year: int
    true_area: Number
    mapped_area: Number
    error: Number
    error_pct: Number
    iou: Number
    clean_recall: Number | None
    debris_recall: Number | None


@dataclass(frozen=True, kw_only=True)
class TruthSection:
    """Section of the page that compares the maps with the true glaciers."""

    lines: list[TruthLine]
    iou: Number
    mean_absolute_error_pct: Number
    true_slope: str
    mapped_slope: str
    others: str
    """Scores of the images alone and of the outline unchanged; empty where they are not known."""


def truth_section(findings: Findings) -> TruthSection | None:
    """Return the section; None for a real site."""
    metrics = findings.area_metrics.truth
    if not findings.truth or metrics is None:
        return None
    true_slope, mapped_slope = slope_texts(findings.trend, metrics)
    return TruthSection(
        lines=[_line(row) for row in findings.truth],
        iou=plain_number(metrics.iou, 3),
        mean_absolute_error_pct=plain_number(metrics.mean_absolute_error_pct, 1),
        true_slope=true_slope,
        mapped_slope=mapped_slope,
        others="; ".join(comparisons(metrics)),
    )


def comparisons(metrics: TruthMetrics) -> list[str]:
    """Write IoU and area error of the images alone and of the prior outline unchanged."""
    others = (
        ("the images alone", metrics.image_iou, metrics.image_mean_absolute_error_pct),
        (
            "the prior outline unchanged", metrics.unchanged_outline_iou,
            metrics.unchanged_outline_mean_absolute_error_pct,
        ),
    )  # fmt: skip
    return [
        f"{name}: IoU {plain_number(iou, 3).text}, {plain_number(error_pct, 1).text} %"
        for name, iou, error_pct in others
        if iou is not None and error_pct is not None
    ]


def slope_texts(trend: Trend, metrics: TruthMetrics) -> tuple[str, str]:
    """Write the true and the mapped slope of the common area; `NO_SLOPE` twice with fewer than three years."""
    true_slope, mapped_slope = metrics.true_slope_km2_per_year, trend.slope_km2_per_year
    if true_slope is None or mapped_slope is None:
        return NO_SLOPE, NO_SLOPE
    text = f"{signed_number(mapped_slope, SLOPE_DECIMALS).text} km² per year"
    low, high = trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    if low is not None and high is not None:
        text += (
            f" (95 % interval: {signed_number(low, SLOPE_DECIMALS).text} to {signed_number(high, SLOPE_DECIMALS).text})"
        )
    return f"{signed_number(true_slope, SLOPE_DECIMALS).text} km² per year", text


def _line(row: TruthRow) -> TruthLine:
    return TruthLine(
        year=row.year,
        true_area=plain_number(row.true_area_km2, AREA_DECIMALS),
        mapped_area=plain_number(row.mapped_area_km2, AREA_DECIMALS),
        error=signed_number(row.error_km2, AREA_DECIMALS),
        error_pct=signed_number(row.error_pct, 1),
        iou=plain_number(row.iou, 3),
        clean_recall=optional_number(row.clean_recall, 2),
        debris_recall=optional_number(row.debris_recall, 2),
    )
