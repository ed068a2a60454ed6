"""Slopes against the truth."""

from __future__ import annotations

import pytest

from stages.common.tables.area import Trend
from stages.common.tables.truth import TruthMetrics
from stages.report.page.truth_table import NO_SLOPE, slope_texts


@pytest.mark.parametrize(
    ("slope", "truth", "texts"),
    [
        pytest.param(None, None, (NO_SLOPE, NO_SLOPE), id="two years"),
        pytest.param(0.1, 0.0, ("0.000 km² per year", "+0.100 km² per year"), id="no true change"),
    ],
)
def test_slopes_are_compared_where_there_are_any(slope, truth, texts):
    trend = Trend(n_years=2, years=[2020, 2021], excluded_years=[], common_pixels_fraction=1, statement="x",
                  slope_km2_per_year=slope)  # fmt: skip
    metrics = TruthMetrics(iou=1, mean_absolute_error_pct=0, true_slope_km2_per_year=truth, slope_ratio=None)
    assert slope_texts(trend, metrics) == texts
