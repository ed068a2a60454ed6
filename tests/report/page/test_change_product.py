"""The page states the change product first, apart from the outlines, and says which years it does not use."""

from __future__ import annotations

import json

import pytest

from sandbox.tiny import ROOT
from stages.common.tables.change import ChangeTrend
from stages.report.page.change_product import TRIED, TRIED_ON, change_facts
from stages.report.pictures.change_chart import trend_line
from tests.report.page_reader import read_page
from tests.report.report_inputs import NINE_YEARS
from tests.report.statistics_inputs import SNOWY


@pytest.fixture(scope="module")
def page(nine_years):
    return read_page(nine_years)


def test_the_change_product_is_stated_first_and_named(page):
    change = page.text.index("Change, from the images alone: Lost 0.4 ± 0.1 km² in the change domain")
    assert change < page.text.index("Common area, from the images alone: The common area changed by")


@pytest.mark.parametrize("name", ["nine_years", "one_year"])
def test_the_trend_of_the_common_area_is_a_sentence(name, request):
    site = request.getfixturevalue(name).parents[1]
    statement = json.loads((site / "artifacts/area/trend.json").read_text())["statement"]
    text = read_page(site / "artifacts/report").text
    assert f"{statement}." in text


def test_the_page_splits_the_error_of_a_year(page):
    assert "0.11 km² shared by all years, 0.02 km² by the day of the scene, 0.03 km² its own" in page.text
    assert "Correlation of two years' errors0.90" in page.text
    assert "Smallest change detectable0.014 km² per year" in page.text


def test_the_page_says_what_a_planted_change_becomes_with_the_figures_of_the_method(page):
    assert f"{TRIED_ON}{TRIED}" in page.text
    method = (ROOT / "docs/method.md").read_text()
    for figure in ("1 of 37", "71 of 74", "1.05 ± 0.10", "0.86 ± 0.05"):
        assert figure in TRIED
        assert f" {figure}" in method


def test_a_year_that_is_not_used_stands_with_its_reason(page):
    assert f"{NINE_YEARS[SNOWY]}5.350{chr(0x2013)}0.900ice where no glacier can be" in page.text
    assert 0.9 in page.values


def test_a_page_without_a_change_product_states_the_trend_alone(one_year):
    assert "Change product" not in read_page(one_year).text


def test_the_line_goes_through_the_fitted_area_of_the_first_year():
    trend = ChangeTrend(
        n_years=3, years=[2016, 2018, 2020], excluded_years=[], flagged_years=[], statement="x", domain_method="x",
        domain_km2=1, control_ground_km2=1, slope_km2_per_year=-0.5, first_area_km2=10,
    )  # fmt: skip
    assert trend_line(trend) == [(2016, 10), (2020, 8)]
    assert trend_line(trend.model_copy(update={"slope_km2_per_year": None})) == []
    assert change_facts(trend) == []


def test_what_members_and_passes_add_is_said_where_there_are_several():
    trend = ChangeTrend(
        n_years=5, years=[2016, 2020], excluded_years=[], flagged_years=[], statement="x", domain_method="x",
        domain_km2=1, control_ground_km2=1, slope_km2_per_year=-0.5, minimum_detectable_km2_per_year=0.2,
    )  # fmt: skip
    names = {name for name, _ in change_facts(trend)}
    several = trend.model_copy(update={"sigma_passes_km2": 0.31, "sigma_members_km2_per_year": 0.042})
    added = dict(fact for fact in change_facts(several) if fact[0] not in names)
    assert added == {
        "Error of a single pass": "0.31 km², the least of a year's own",
        "Error of the slope by the model's members": "0.04 km² per year",
    }
