"""Six numbers that say how a run went, logged before all others: MLflow's tables show them first."""

from __future__ import annotations

from stages.common.tables.area import AreaMetrics
from stages.common.tables.evaluate import EvaluateMetrics
from stages.track.metric_values import MetricValue

GROUP = "headline"


def headline_values(areas: AreaMetrics, scores: EvaluateMetrics) -> list[MetricValue]:
    """Return the six, but for those that do not exist; the change is that of the images alone where it has a trend."""
    change = areas.change.slope_km2_per_year if areas.change else None
    values = {
        "iou": scores.model.iou,
        "area_bias_pct": scores.model.area_bias_pct,
        "area_km2": areas.last_area_km2,
        "sigma_km2": areas.mean_sigma_km2,
        "km2_per_year": areas.slope_km2_per_year if change is None else change,
        "gates_failed": areas.gates_failed,
    }
    return [MetricValue(f"{GROUP}/{name}", float(value)) for name, value in values.items() if value is not None]
