"""What the page shows of change, fronts, surface and input, and what it says where there is nothing."""

from __future__ import annotations

import csv

import pytest

from tests.report import statistics_inputs
from tests.report.page_reader import read_page


@pytest.fixture(scope="module")
def page(nine_years):
    return read_page(nine_years)


@pytest.fixture(scope="module")
def bare(one_year):
    return read_page(one_year)


@pytest.mark.parametrize(
    "name",
    [
        "trend_by_glacier.csv",
        "terminus_by_glacier.csv",
        "change_by_glacier.csv",
        "seasons.csv",
        "drift_by_year.csv",
    ],
)
def test_page_holds_each_number_of_the_tables(page, nine_years, name):
    shown = ("slope_", "minimum", "mann", "p_adjusted", "_km2", "rate_", "retreat", "shared", "psi")
    with (nine_years.parent / "area" / name).open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            for column, value in line.items():
                if value and any(part in column for part in shown):
                    assert float(value) in page.values, (name, column)


def test_sources_of_the_interval_and_what_it_rests_on_are_told(page):
    assert statistics_inputs.METHOD in page.text
    assert "Delineation" in page.text
    assert "68 % interval" in page.text


def test_an_overridden_gate_stands_in_red_at_the_top(page, nine_years):
    assert "1 gate overridden by an expert: missing_years: 1 missing; at most 0" in page.text
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert html.index('class="alarm"') < html.index('class="statement"')
    assert '<span class="bad">OVERRIDDEN</span>' in html


def test_the_detectable_change_stands_beside_the_slope(page):
    assert "Smallest detectable change (detection limit)0.027 km² per year" in page.text
    assert "p = 0.001 (exact, two-sided; by the order of the areas alone, whatever their errors)" in page.text
    assert "Change from the first year to the lastLost 1.90 km² (95 %: −2.24 to −1.56)" in page.text
    assert "20 tested; 3 were seen in fewer than five years." in page.text
    assert "20 glaciers were tested; 1 of them changed detectably" in page.text


def test_a_drifted_year_is_flagged_and_the_others_are_not(page):
    assert page.text.count("shifted: ") == 1
    assert "shifted: red brighter by 0.8 standard deviations" in page.text


def test_what_is_absent_is_said(bare):
    for sentence in ("Clean and debris-covered ice were not distinguished.", "Input drift was not measured."):
        assert sentence in bare.text
    assert "overridden" not in bare.text
    assert "Ice fronts" not in bare.text, "one year has no retreat"
