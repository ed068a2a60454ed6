"""What the page says of change, fronts, surface and input, and what it says where there is nothing."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.common.tables.area import AreaRow, FrontRow, Trend
from stages.common.tables.drift import DriftRow
from stages.common.tables.kinds import MASK_NODATA
from stages.report.page import input_table, trend_table
from stages.report.pictures import change_map, front_chart, graph_data, map_marks, surface_chart
from tests.report import made_up, made_up_statistics
from tests.report.page.test_page import read_page
from tests.report.pictures.test_graph import row


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
    assert made_up_statistics.METHOD in page.text
    assert "Delineation" in page.text
    assert "68 % interval" in page.text


def test_an_overridden_gate_stands_in_red_at_the_top(page, nine_years):
    assert "1 gate overridden by an expert: missing_years: 1 missing; at most 0" in page.text
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert html.index('class="alarm"') < html.index('class="statement"')
    assert '<span class="bad">OVERRIDDEN</span>' in html


def test_the_detectable_change_stands_beside_the_slope(page):
    assert "Smallest change that can be told from none0.027 km² a year" in page.text
    assert "p = 0.001 (exact, two-sided)" in page.text
    assert "Change from the first year to the last−1.90 km² (95 %: −2.24 to −1.56)" in page.text
    assert "20 tested; 3 were seen in fewer than five years." in page.text
    assert "20 glaciers were tested, 1 of them changed detectably" in page.text


def facts(**known: float) -> dict[str, str]:
    trend = Trend(n_years=9, years=[2015], excluded_years=[], common_pixels_fraction=1, statement="x", **known)
    return dict(trend_table.trend_facts(trend))


def test_a_small_p_is_said_to_be_small_and_not_0():
    assert facts(mann_kendall_p=5.5e-06)["Mann-Kendall test"] == "p < 0.001 (exact, two-sided)"
    one = made_up_statistics.glacier_trends(made_up.glacier_rows((2020,)))[0]
    (line,) = trend_table.trend_lines([one.model_copy(update={"mann_kendall_p": 5.5e-06, "p_adjusted": 1.1e-05})])
    assert (line.p.shown, line.p_adjusted.shown) == ("< 0.001", "< 0.001")
    fronts = made_up_statistics.fronts((2020, 2021), made_up.glacier_rows((2020, 2021)), None)
    front = made_up_statistics.front_trends(fronts)[0].model_copy(update={"mann_kendall_p": 5.5e-06})
    assert front_chart.front_lines([front])[0]["p"].shown == "< 0.001"


@pytest.mark.parametrize(("rho", "said"), [(0.0, "independent (rho = 0)"), (0.25, "correlate by rho = 0.25")])
def test_rho_is_stated_whatever_it_is(rho, said):
    told = facts(change_km2=-1.9, change_sigma_km2=0.2, correlation_between_years=rho)
    assert told["Change from the first year to the last"].endswith(said)


def test_a_drifted_year_is_flagged_and_the_others_are_not(page):
    assert page.text.count("shifted: ") == 1
    assert "shifted: red brighter by 0.8 standard deviations" in page.text


def test_what_is_absent_is_said(bare):
    for sentence in ("Clean and debris-covered ice were not told apart.", "Input drift was not measured."):
        assert sentence in bare.text
    assert "overridden" not in bare.text
    assert "Ice fronts" not in bare.text, "one year has no retreat"


def surface_row(method: str | None) -> AreaRow:
    return row(2020, 5).model_copy(update={"surface_method": method})


def test_why_surfaces_cannot_be_told_apart_is_said_once():
    rows = [surface_row("not available: no SWIR band"), surface_row("not available: no SWIR band")]
    assert surface_chart.why_not(rows) == (
        "Clean and debris-covered ice were not told apart: not available: no SWIR band."
    )
    assert surface_chart.why_not([made_up_statistics.with_intervals(row(2020, 5))]) is None


def front(year: int, position_m: float | None, reason: str | None = None) -> FrontRow:
    return FrontRow(year=year, rgi_id="a", flow_line="given", position_m=position_m, reason=reason)


def test_why_there_is_no_front_is_said():
    assert "no elevation" in (front_chart.why_no_front([front(2020, None, "no elevation")]) or "")
    assert front_chart.why_no_front([front(2020, None, "cloud"), front(2021, 9.0)]) is None
    rows = [front(2020, None, "cloud"), front(2021, None, "beyond the grid"), front(2022, None, "cloud")]
    assert front_chart.gaps(rows) == [("cloud", 2), ("beyond the grid", 1)]


def test_only_the_largest_fronts_are_drawn_and_a_still_front_looks_still():
    low, high = front_chart._limits([FrontRow(year=2020, rgi_id="a", flow_line="given", position_m=1,
                                                 position_sigma_m=12, retreat_m=5)])  # fmt: skip
    assert high - low == front_chart.SPAN_MIN_M
    assert low < 0
    assert high > 5


def test_change_map_has_the_colours_of_its_classes():
    classes = np.repeat(np.array([[0, 1, 2, 3]], dtype=np.uint8), 3, axis=0)
    picture = change_map.change_picture(classes)
    assert [tuple(colour) for colour in picture[1].tolist()] == [
        colours.GROUND, colours.UNCHANGED, colours.LOST, colours.GAINED
    ]  # fmt: skip
    unseen = change_map.change_picture(np.full((16, 16), MASK_NODATA, dtype=np.uint8))
    assert set(map(tuple, unseen.reshape(-1, 3).tolist())) == {colours.GREY_DARK, colours.GREY_LIGHT}


def test_change_map_shows_where_the_tongue_went_back(nine_years):
    picture = np.asarray(Image.open(nine_years / "change_map.png").convert("RGB"))
    picture = picture[map_marks.BANNER_PX : -change_map.FOOT_PX]
    lost = (picture == colours.LOST).all(axis=2).sum()
    unchanged = (picture == colours.UNCHANGED).all(axis=2).sum()
    first, last = made_up.ice(0), made_up.ice(8)
    assert lost / unchanged == pytest.approx((first & ~last).sum() / last.sum(), rel=0.1)


def test_bars_of_95_per_cent_are_drawn_around_those_of_68():
    one = made_up_statistics.with_intervals(row(2020, 100, 2.0))
    assert graph_data.bars([one]) == [[pytest.approx(2.0)], [pytest.approx(2.0)]]
    assert graph_data.bars([one], wide=True) == [[pytest.approx(3.92)], [pytest.approx(3.92)]]
    assert graph_data.bars([row(2020, 100, 2.0)], wide=True) == [[2.0], [2.0]], "without, that of 68 %"


def test_axis_holds_the_wide_interval():
    low, high = graph_data.axis_limits([made_up_statistics.with_intervals(row(2020, 100, 20.0))])
    assert low <= 100 - 39.2 and high >= 100 + 39.2


@pytest.mark.parametrize(
    ("psi", "shift", "words"),
    [(0.25, 9.0, None), (0.3, 0.5, "shifted: B03 brighter by 0.5"), (0.3, -1.0, "shifted: B03 darker by 1.0")],
)
def test_verdict_on_drift(psi, shift, words):
    said = input_table.verdict([DriftRow(year=2020, band="B03", psi=psi, mean_shift_sd=shift)])
    assert said is None if words is None else (said or "").startswith(words)


def test_glaciers_stand_by_the_size_of_their_change():
    lines = trend_table.trend_lines(made_up_statistics.glacier_trends(made_up.glacier_rows((2020,))))
    sizes = [abs(line.slope.exact) for line in lines]
    assert sizes == sorted(sizes, reverse=True)
    assert [line.detectable for line in lines].count(True) == 1
