"""Numbers that the graph shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.tables.area import AreaRow, Trend
from stages.common.tables.truth import TruthRow
from stages.common.web_map.series import INTERVAL_SHARE_MAX
from stages.report.pictures import graph_data
from tests.report import statistics_inputs


def row(year, area, sigma=1.0, **more):
    return AreaRow(
        year=year, glacier_area_km2=area, area_low_km2=max(0, area - sigma), area_high_km2=area + sigma,
        **{"valid_fraction": 1, "unseen_km2": 0, "scene_ids": "a", "model_md5": "b", **more},
    )  # fmt: skip


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=9), st.floats(0, 5))
def test_axis_holds_the_data_and_never_exaggerates_noise(areas, sigma):
    rows = [row(2000 + index, area, sigma) for index, area in enumerate(areas)]
    low, high = graph_data.axis_limits(rows)
    slack = 1e-9 * high
    assert low >= 0
    assert all(low - slack <= year.area_low_km2 and year.area_high_km2 <= high + slack for year in rows)
    interval = max(year.area_high_km2 - year.area_low_km2 for year in rows)
    assert interval <= INTERVAL_SHARE_MAX * (high - low) + slack
    assert high - low >= graph_data.SPAN_OF_MEAN_MIN * np.mean(areas) - slack


def test_axis_is_taken_from_the_data_not_from_zero():
    low, high = graph_data.axis_limits([row(2016, 144, 1.4), row(2024, 141, 1.4)])
    assert low > 130
    assert high < 155


def test_axis_holds_the_truth_too():
    truth = TruthRow(year=2016, true_area_km2=160, mapped_area_km2=144, error_km2=-16, error_pct=-10, iou=0.9)
    assert graph_data.axis_limits([row(2016, 144)], [truth])[1] > 160


def test_axis_holds_the_wide_interval():
    low, high = graph_data.axis_limits([statistics_inputs.with_intervals(row(2020, 100, 20.0))])
    assert low <= 100 - 39.2 and high >= 100 + 39.2


def test_bars_of_95_per_cent_are_drawn_around_those_of_68():
    with_95 = statistics_inputs.with_intervals(row(2020, 100, 2.0))
    assert graph_data.error_bars([with_95]) == [[pytest.approx(2.0)], [pytest.approx(2.0)]]
    assert graph_data.error_bars([with_95], wide=True) == [[pytest.approx(3.92)], [pytest.approx(3.92)]]
    assert graph_data.error_bars([row(2020, 100, 2.0)], wide=True) == [[2.0], [2.0]], "without, that of 68 %"


def test_common_area_is_a_series_only_where_it_differs():
    same = [row(2016, 144, common_area_km2=144.0), row(2017, 143, common_area_km2=143.0)]
    assert graph_data.common_areas(same) == {}
    different = [row(2016, 144, common_area_km2=130.0), row(2017, 143)]
    assert graph_data.common_areas(different) == {2016: 130.0}


def test_trend_line_goes_through_the_middle_of_its_residuals():
    rows = [row(year, 100, common_area_km2=100.0 - 2 * (year - 2016)) for year in (2016, 2017, 2019, 2020)]
    trend = Trend(
        n_years=3, years=[2016, 2017, 2019], excluded_years=[2020], common_pixels_fraction=1, statement="x",
        slope_km2_per_year=-2.0,
    )  # fmt: skip
    assert graph_data.trend_line(rows, trend, -2.0) == [(2016, 100.0), (2017, 98.0), (2019, 94.0)]
    assert graph_data.trend_line(rows, trend, -3.0) == [(2016, 101.0), (2017, 98.0), (2019, 92.0)]


def test_a_steep_line_lies_among_its_areas_and_not_beside_them():
    """The medians of year and area are of different years: the areas are 10, 9 and 5 on a line, and an outlier."""
    areas = {2016: 10.0, 2017: 9.0, 2018: 2.0, 2021: 5.0}
    rows = [row(year, 10, common_area_km2=km2) for year, km2 in areas.items()]
    trend = Trend(
        n_years=4, years=list(areas), excluded_years=[], common_pixels_fraction=1, statement="x",
        slope_km2_per_year=-1.0,
    )  # fmt: skip
    assert graph_data.trend_line(rows, trend, -1.0) == [(2016, 10.0), (2017.5, 8.5), (2021, 5.0)]


@pytest.mark.parametrize(("unseen_km2", "hidden"), [(0.4, False), (0.6, True)])
def test_a_shortfall_well_within_the_interval_hides_nothing(unseen_km2, hidden):
    assert graph_data.partly_unseen(row(2016, 144, sigma=1.0, unseen_km2=unseen_km2)) is hidden


def test_no_line_across_a_missing_or_through_a_partly_unseen_year():
    rows = [row(2015, 9), row(2016, 9), row(2018, 9), row(2019, 5, unseen_km2=4.0), row(2020, 9)]
    assert [[year_area.year for year_area in piece] for piece in graph_data.line_pieces(rows)] == [
        [2015, 2016],
        [2018],
        [2020],
    ]


def test_a_line_turns_about_its_middle():
    assert graph_data.turned([(2016, 50.0), (2024, 42.0)], -2.0) == [(2016, 54.0), (2020, 46.0), (2024, 38.0)]
    assert graph_data.turned([(2016, 50.0), (2024, 42.0)], -1.0)[::2] == [(2016, 50.0), (2024, 42.0)]
