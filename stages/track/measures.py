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
"""Fronts logged, those that moved most: each is a chart."""

TRUTH_SERIES = {
    "true_area_km2": "true_area_km2",
    "area_error_km2": "error_km2",
    "area_error_pct": "error_pct",
    "truth_iou": "iou",
}
"""Metric to column of truth_by_year.csv; alone among a run's metrics, a column would not say what it is an error of."""

NOT_MEASURED = frozenset({"year", "years", "first_year", "last_year", "excluded_years", "area_by_year_km2"})
"""Entries of metric documents that are labels, or that are logged as a series already."""


@dataclass(frozen=True)
class Measure:
    """One value of a metric."""

    key: str
    value: float
    step: int = 0


def curves(history: Sequence[EpochRow]) -> list[Measure]:
    """Learning curves; the step is the epoch."""
    return [Measure(key, getattr(row, key), row.epoch) for row in history for key in CURVES]


def areas(rows: Sequence[AreaRow]) -> list[Measure]:
    """Areas in km2; the step is the year, so that the chart's axis is time. A year without a value has no point."""
    return [
        Measure(key, value, row.year) for row in rows for key in AREA_SERIES if (value := getattr(row, key)) is not None
    ]


def fronts(rows: Sequence[FrontRow]) -> list[Measure]:
    """Retreat in metres since the first year seen, a metric a glacier; the step is the year."""
    seen: dict[str, list[Measure]] = {}
    for row in rows:
        if row.retreat_m is not None:
            seen.setdefault(row.rgi_id, []).append(Measure(f"front_retreat_m/{row.rgi_id}", row.retreat_m, row.year))
    most = sorted(seen, key=lambda one: (-max(abs(point.value) for point in seen[one]), one))
    return [point for one in most[:FRONTS_MAX] for point in seen[one]]


def drift(rows: Sequence[DriftRow]) -> list[Measure]:
    """Stability index of each band and of the worst one; the step is the year."""
    bands = [Measure(f"input_drift/{row.band}", row.psi, row.year) for row in rows if row.psi is not None]
    years = {one.step: max(other.value for other in bands if other.step == one.step) for one in bands}
    return [*bands, *(Measure("input_drift/worst_band", value, year) for year, value in years.items())]


def truth(rows: Sequence[TruthRow]) -> list[Measure]:
    """Truth and error of a simulated site's areas; the step is the year."""
    return [Measure(key, getattr(row, column), row.year) for row in rows for key, column in TRUTH_SERIES.items()]


def scores(document: BaseModel, group: str) -> list[Measure]:
    """Numbers of a metrics document as ``group/part/name``; MLflow draws a section of charts for each group."""
    content = document.model_dump(mode="json", exclude=set(NOT_MEASURED))
    return [
        Measure(key, float(value))
        for key, value in flatten(content, group, separator="/").items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
