"""Rows of the tables, and a simulated site's numbers against its truth, where there is little to compare."""

from __future__ import annotations

import numpy as np
import pytest

from stages.area.tables.rows import area_row, glacier_area_rows, truth_metrics
from stages.area.trends.statement import make_trend
from stages.area.year.truth import TruthComparison
from stages.common.tables.labels import GlacierRow
from tests.area.area_inputs import year_area
from tests.area.trends.test_statement import NO_GLACIERS

GLACIER = GlacierRow(
    glacier_index=1, rgi_id="G1", glac_name="One", outline_area_km2=1, geodesic_area_km2=1, terminus="unknown"
)


def test_an_interval_is_the_area_with_both_half_widths_and_never_below_none() -> None:
    """A sigma of 0.6 km2: 68 % of it reach below 1 km2, 95 % (1.96 sigma) would reach below no area."""
    one_km2 = year_area(2016, 1.0, sigma_km2=0.6)
    whole = area_row(one_km2, model_md5="")
    glacier, near_none = glacier_area_rows(one_km2, [GLACIER], np.array([0.0, 3.0]))
    for row, area_km2 in ((whole, whole.glacier_area_km2), (glacier, glacier.area_km2)):
        assert (area_km2, row.area_low_km2, row.area_high_km2) == pytest.approx((1.0, 0.4, 1.6))
        assert (row.area_low95_km2, row.area_high95_km2) == pytest.approx((0.0, 1 + 1.95996 * 0.6), abs=1e-4)
    assert (glacier.rgi_id, glacier.outline_area_km2, near_none.rgi_id) == ("G1", 3.0, "unassigned")
    assert (near_none.area_km2, near_none.area_low_km2, near_none.area_high95_km2) == (0, 0, 0)


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
