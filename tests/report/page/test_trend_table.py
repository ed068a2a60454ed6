"""Facts behind the trend, and the trends of single glaciers."""

from __future__ import annotations

import pytest

from stages.common.tables.area import Trend
from stages.report.page import front_table, trend_table
from tests.report import report_inputs, statistics_inputs


def facts(**columns: float) -> dict[str, str]:
    trend = Trend(n_years=9, years=[2015], excluded_years=[], common_pixels_fraction=1, statement="x", **columns)
    return dict(trend_table.trend_facts(trend))


def test_a_small_p_is_said_to_be_small_and_not_0():
    assert facts(mann_kendall_p=5.5e-06)["Mann-Kendall test"] == (
        "p < 0.001 (exact, two-sided; by the order of the areas alone, whatever their errors)"
    )
    trend = statistics_inputs.glacier_trends(report_inputs.glacier_rows((2020,)))[0]
    (line,) = trend_table.trend_lines([trend.model_copy(update={"mann_kendall_p": 5.5e-06, "p_adjusted": 1.1e-05})])
    assert (line.p.text, line.p_adjusted.text) == ("< 0.001", "< 0.001")
    fronts = statistics_inputs.fronts((2020, 2021), report_inputs.glacier_rows((2020, 2021)), None)
    front = statistics_inputs.front_trends(fronts)[0].model_copy(update={"mann_kendall_p": 5.5e-06})
    assert front_table.front_lines([front])[0]["p"].text == "< 0.001"


@pytest.mark.parametrize(
    ("rho", "assumption"), [(0.0, "are independent (rho = 0)"), (0.25, "are correlated (rho = 0.25)")]
)
def test_rho_is_stated_whatever_it_is(rho, assumption):
    texts = facts(change_km2=-1.9, change_sigma_km2=0.2, correlation_between_years=rho)
    assert texts["Change from the first year to the last"].endswith(assumption)


def test_glaciers_stand_by_the_size_of_their_change():
    lines = trend_table.trend_lines(statistics_inputs.glacier_trends(report_inputs.glacier_rows((2020,))))
    sizes = [abs(line.slope.exact) for line in lines]
    assert sizes == sorted(sizes, reverse=True)
    assert [line.detectable for line in lines].count(True) == 1


@pytest.mark.parametrize(
    ("change_km2", "half_km2", "text"),
    [
        (-1.9, 2.0, "No change detected between these two years alone: −1.9 km² (95 %: −3.9 to +0.1)"),
        (-1.9, 0.9, "Lost 1.90 km² (95 %: −2.80 to −1.00)"),
        (1.9, 0.9, "Gained 1.90 km² (95 %: +1.00 to +2.80)"),
    ],
)
def test_a_difference_of_two_years_is_a_change_where_its_interval_says_so(change_km2, half_km2, text):
    low, high = change_km2 - half_km2, change_km2 + half_km2
    assert trend_table.difference_text(change_km2, low, high, half_km2 / 1.96) == text


def test_per_cent_have_no_more_digits_than_the_change_supports():
    """A change of 0.005 ± 0.05 km2 a year of 0.24 km2 is -2 % a year: -2.00 would claim to know it a hundred times."""
    row = statistics_inputs.glacier_trends(report_inputs.glacier_rows((2020,)))[0].model_copy(
        update={"slope_pct_per_year": -2.0, "minimum_detectable_km2_per_year": 0.067, "first_area_km2": 0.24}
    )
    (line,) = trend_table.trend_lines([row])
    assert line.slope_pct.text == "−2"
