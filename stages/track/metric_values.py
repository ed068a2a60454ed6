"""The numbers of a run: final scores, learning curves by epoch, areas, fronts and input drift by year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from stages.common.run.flatten import flatten
from stages.common.tables.area import AreaRow, FrontRow
from stages.common.tables.drift import DriftRow
from stages.common.tables.learning import EpochRow
from stages.common.tables.truth import TruthRow

CURVES = ("loss", "iou", "val_loss", "val_iou", "learning_rate")

AREA_SERIES = (
    "glacier_area_km2", "area_low_km2", "area_high_km2", "area_low95_km2", "area_high95_km2", "common_area_km2",
    "clean_ice_km2", "debris_covered_km2", "sigma_delineation_km2", "sigma_model_km2", "sigma_season_km2",
)  # fmt: skip

FRONTS_MAX = 12
"""Largest number of fronts that are logged: those that moved most. Each is a chart."""

TRUTH_SERIES = {
    "true_area_km2": "true_area_km2",
    "area_error_km2": "error_km2",
    "area_error_pct": "error_pct",
    "truth_iou": "iou",
}
"""Metric to column of truth_by_year.csv; the metric's name also says what is in error."""

NOT_MEASURED = frozenset(
    {"year", "years", "first_year", "last_year", "excluded_years", "flagged_years", "area_by_year_km2"}
)
"""Entries of metric documents that are labels, or that are logged as a series."""


@dataclass(frozen=True)
class MetricValue:
    """One value of a metric."""

    key: str
    value: float
    step: int = 0


def learning_curves(history: Sequence[EpochRow]) -> list[MetricValue]:
    """Return the learning curves; the step is the epoch."""
    return [MetricValue(key, getattr(row, key), row.epoch) for row in history for key in CURVES]


def area_series(rows: Sequence[AreaRow]) -> list[MetricValue]:
    """Return areas in km2; the step is the year. Years without a value have no point."""
    return [
        MetricValue(key, value, row.year)
        for row in rows
        for key in AREA_SERIES
        if (value := getattr(row, key)) is not None
    ]


def front_series(rows: Sequence[FrontRow]) -> list[MetricValue]:
    """Return retreat in metres since the first observed year, one metric per glacier; the step is the year."""
    by_glacier: dict[str, list[MetricValue]] = {}
    for row in rows:
        if row.retreat_m is not None:
            by_glacier.setdefault(row.rgi_id, []).append(
                MetricValue(f"front_retreat_m/{row.rgi_id}", row.retreat_m, row.year)
            )
    largest_m = {rgi_id: max(abs(point.value) for point in points) for rgi_id, points in by_glacier.items()}
    order = sorted(by_glacier, key=lambda rgi_id: (-largest_m[rgi_id], rgi_id))
    return [point for rgi_id in order[:FRONTS_MAX] for point in by_glacier[rgi_id]]


def drift_series(rows: Sequence[DriftRow]) -> list[MetricValue]:
    """Return the stability index of each band and of the worst one; the step is the year."""
    bands = [MetricValue(f"input_drift/{row.band}", row.psi, row.year) for row in rows if row.psi is not None]
    steps = list(dict.fromkeys(point.step for point in bands))
    years = {year: max(point.value for point in bands if point.step == year) for year in steps}
    return [*bands, *(MetricValue("input_drift/worst_band", value, year) for year, value in years.items())]


def truth_series(rows: Sequence[TruthRow]) -> list[MetricValue]:
    """Return the truth and the error of a simulated site's areas; the step is the year."""
    return [MetricValue(key, getattr(row, column), row.year) for row in rows for key, column in TRUTH_SERIES.items()]


def document_values(document: BaseModel, group: str) -> list[MetricValue]:
    """Return the numbers of a metrics document as ``group/part/name``; MLflow draws a section of charts per group."""
    content = document.model_dump(mode="json", exclude=set(NOT_MEASURED))
    return [
        MetricValue(key, float(value))
        for key, value in flatten(content, group, separator="/").items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
