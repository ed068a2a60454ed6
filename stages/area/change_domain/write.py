"""Write the change product, and sum it up for metrics/area.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stages.area.change_domain.change_year import ChangeYear
from stages.area.change_domain.season_fit import SeasonFit, fit_season
from stages.area.tables.precision import round_areas
from stages.common.display.numbers import EXACT_DECIMALS, decimals_for
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.change import ChangeAreaRow, ChangeMetrics, ChangeTrend


def write_change_product(out: Path, rows: Sequence[ChangeAreaRow], trend: ChangeTrend) -> None:
    """Write the table, rounded to two digits of a year's own error, and the trend with all digits."""
    decimals = EXACT_DECIMALS if trend.sigma_own_km2 is None else decimals_for(trend.sigma_own_km2)
    write_table(out / "change_area_by_year.csv", [round_areas(row, decimals) for row in rows], ChangeAreaRow)
    write_json(out / "change_trend.json", trend)


def change_metrics(fit: SeasonFit | None, trend: ChangeTrend, used: Sequence[ChangeYear]) -> ChangeMetrics | None:
    """Sum up the trend; on a simulated site, beside the true slope over the same pixels and years."""
    if fit is None:
        return None
    truths = [(year.year_area.decimal_year, year.year_area.truth) for year in used]
    true_areas = [(time, truth.true_common_km2) for time, truth in truths if truth]
    true_slope = straight_slope(true_areas) if true_areas else None
    return ChangeMetrics(
        n_years=fit.n,
        slope_km2_per_year=fit.slope,
        minimum_detectable_km2_per_year=fit.minimum_detectable,
        detectable=bool(trend.detectable),
        sigma_own_km2=fit.sigma_own,
        true_slope_km2_per_year=true_slope,
        slope_ratio=fit.slope / true_slope if true_slope else None,
    )


def straight_slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the least-squares slope through (decimal year, value)."""
    times, values = zip(*points, strict=True)
    return fit_season(times, values, [None] * len(times), drift=0.0).slope
