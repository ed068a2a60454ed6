"""A simulated site's numbers against its truth, where there is little to compare."""

from __future__ import annotations

import pytest

from stages.area.tables.rows import truth_metrics
from stages.area.trends.statement import make_trend
from stages.area.year.truth import TruthComparison
from tests.area.area_inputs import year_area
from tests.area.trends.test_statement import NO_GLACIERS


def comparison(*, true: float, mapped: float, common: float | None = None) -> TruthComparison:
    return TruthComparison(
        true_km2=true, mapped_km2=mapped, both_km2=min(true, mapped), clean_km2=true, clean_mapped_km2=true,
        debris_km2=0, debris_mapped_km2=0, true_common_km2=true if common is None else common,
        outline_km2=120 if true else 0, outline_both_km2=true,
    )  # fmt: skip


@pytest.mark.parametrize(("true", "iou"), [(0.0, 1.0), (90.0, 0.9)])
def test_a_site_without_ice_has_nothing_wrong_and_a_slope_of_zero_is_a_slope(true: float, iou: float) -> None:
    mapped = 100.0 if true else 0.0
    year_areas = [year_area(year, mapped, truth=comparison(true=true, mapped=mapped)) for year in range(2016, 2021)]
    metrics = truth_metrics(year_areas, make_trend(year_areas, NO_GLACIERS, common_pixels_fraction=1, rho=0))
    assert metrics is not None
    assert metrics.iou == pytest.approx(iou)
    assert metrics.true_slope_km2_per_year == 0
    assert metrics.slope_ratio is None
    if true:  # 90 of 120 km2, and 120 where 90 are true
        assert metrics.unchanged_outline_iou == pytest.approx(0.75)
        assert metrics.unchanged_outline_mean_absolute_error_pct == pytest.approx(100 / 3)
