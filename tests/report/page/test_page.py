"""The page: complete, self-contained, honest."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser

import pytest
import yaml

from stages.common.tables.area import GlacierAreaRow, Trend, TruthMetrics
from stages.report.numbers import signed
from stages.report.page.glacier_table import LARGEST, glacier_table
from stages.report.page.truth_table import NO_SLOPE, slope_texts
from tests.report import made_up


class Reader(HTMLParser):
    """Tags that must be closed, sources, alternative texts, exact values and text."""

    VOID = frozenset({"meta", "img", "link", "br", "hr"})

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.alternatives, self.values, self.tags = [], [], [], [], set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.add(tag)
        self.sources += [value for key, value in attrs if key in ("src", "href", "srcset")]
        if tag == "img":
            self.alternatives.append(known.get("alt"))
        if tag == "data":
            self.values.append(float(known["value"]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read_page(folder):
    page = Reader()
    page.feed((folder / "index.html").read_text(encoding="utf-8"))
    page.text = " ".join(page.text.split())
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def page(nine_years):
    return read_page(nine_years)


def test_page_reaches_for_nothing_outside(page, nine_years):
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert all(source.startswith(("data:image/", "#")) for source in page.sources)
    assert not re.search(r"https?://|//[a-z]|url\(|@import", re.sub(r"base64,[\w+/=]+", "", html))
    assert "script" not in page.tags
    assert "default-src 'none'" in html


def test_page_embeds_the_pictures_that_stand_beside_it(page):
    kinds = [source.split(";")[0] for source in page.sources if source.startswith("data:")]
    assert kinds == ["data:image/png", "data:image/gif", *["data:image/png"] * 7]
    assert all(text and "SIMULATED" in text for text in page.alternatives)


def test_page_holds_each_number_of_the_area_table(page, nine_years):
    path = nine_years.parent / "area/glacier_area_by_year.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for column, value in row.items():
                if not value:
                    continue
                if column.endswith(("_km2", "_fraction")):
                    assert float(value) in page.values, (row["year"], column)
                elif column != "model_md5":
                    assert value in page.text


def test_page_rounds_as_the_interval_supports(page):
    assert "5.22 ± 0.12 km²" in page.text


def test_page_tells_the_gates(page):
    assert "1 of 5 FAILED: do not use these numbers" in page.text
    assert "FAILEDannual_change: 7.1 % from 2017 to 2018, at most 5 %" in page.text


def report_of_a_poor_model(site, override):
    """Text and source of the page where held-out IoU must be 0.99 above the baselines, which fails the stage `gate`."""
    from tests.report.conftest import run_report

    made_up.make_artifacts(site, (2024,), simulated=False)
    params = yaml.safe_load((site / "params.yaml").read_text())
    params["gates"] |= {"iou_over_baseline_min": 0.99, "override": override}
    (site / "params.yaml").write_text(yaml.safe_dump(params))
    folder = run_report(site)
    return read_page(folder).text, (folder / "index.html").read_text(encoding="utf-8")


def test_page_tells_of_a_model_that_is_no_better_than_none(tmp_path):
    text, html = report_of_a_poor_model(tmp_path, [])
    assert "Gates1 of 5 FAILED: do not use these numbers" in text
    assert "FAILEDiou_over_baseline: held-out IoU 0.812, +0.502 against the better baseline" in text
    assert 'class="good">all' not in html


def test_a_model_let_pass_by_an_expert_stands_in_red(tmp_path):
    text, html = report_of_a_poor_model(tmp_path, ["iou_over_baseline"])
    assert "Gates1 of 5 overridden by an expert" in text
    assert "1 gate overridden by an expert: iou_over_baseline: held-out IoU 0.812" in text
    assert html.index('class="alarm"') < html.index('class="statement"')


def test_page_escapes_what_comes_from_files(nine_years):
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert "Large &lt;&amp;&gt; first" in html
    assert "made up &lt;2015&gt;" in html


def test_page_tells_provenance_scores_and_model(page):
    for expected in (
        "S2A_MSIL2A_20211015T052841_N0500_R105_T44RLV", "44RLV", "47.8° / 159.2°", "90.3 %", "Unchanged outline",
        "the labels are that outline: not scored", "brightness >= 123", "1,940,817", made_up.MODEL_MD5,
    ):  # fmt: skip
        assert expected in page.text, expected


def test_simulated_site_says_so_and_a_real_one_does_not(page, one_year):
    assert page.text.startswith("[SIMULATED]")
    assert "SIMULATED DATA: NOT A MEASUREMENT" in page.text
    assert "SIMULATED" not in read_page(one_year).text


def test_page_holds_each_number_of_the_truth_table(page, nine_years):
    with (nine_years.parent / "area/truth_by_year.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["debris_recall"] for row in rows if row["year"] == "2021"] == [""]
    for row in rows:
        assert all(float(value) in page.values for value in row.values() if value and value != row["year"])
    truth = made_up.TRUTH_METRICS
    assert {truth.iou, truth.mean_absolute_error_pct} <= set(page.values)
    assert "True slope of the common area−0.210 km² a year" in page.text
    assert "(95 %: −0.261 to −0.201)" in page.text


def test_a_real_site_has_no_truth_on_its_page(one_year):
    page = read_page(one_year)
    assert "simulated" not in page.text.lower()
    assert "truth" not in page.text.lower()


@pytest.mark.parametrize(
    ("slope", "truth", "texts"),
    [
        pytest.param(None, None, (NO_SLOPE, NO_SLOPE), id="two years"),
        pytest.param(0.1, 0.0, ("0.000 km² a year", "+0.100 km² a year"), id="no true change"),
    ],
)
def test_slopes_are_compared_where_there_are_any(slope, truth, texts):
    trend = Trend(n_years=2, years=[2020, 2021], excluded_years=[], common_pixels_fraction=1, statement="x",
                  slope_km2_per_year=slope)  # fmt: skip
    metrics = TruthMetrics(iou=1, mean_absolute_error_pct=0, true_slope_km2_per_year=truth, slope_ratio=None)
    assert slope_texts(trend, metrics) == texts


@pytest.mark.parametrize(("value", "shown"), [(0.4, "+0.4"), (-0.4, "−0.4"), (0.04, "0.0"), (-0.04, "0.0")])
def test_errors_have_a_direction(value, shown):
    assert signed(value, 1).shown == shown


def test_one_year_site_has_a_page_without_a_trend(one_year):
    page = read_page(one_year)
    assert "One year: no change to state." in page.text
    assert "all 5 passed" in page.text
    assert "glacier area 2024 " in page.text


def test_page_says_when_another_model_mapped(tmp_path):
    from tests.report.conftest import run_report

    site = made_up.make_artifacts(tmp_path, (2024,))
    (site / "artifacts/train/model.onnx").write_bytes(made_up.MODEL + b" trained later")
    assert "made by another model" in read_page(run_report(site)).text


def test_glacier_table_takes_the_largest_and_sums_the_rest():
    rows = made_up.glacier_rows((2020, 2021))
    lines = glacier_table(rows, [2020, 2021])
    assert [line.rgi_id for line in lines[:2]] == ["RGI60-15.00001", "RGI60-15.00002"]
    assert [line.rgi_id for line in lines[LARGEST:]] == ["5 smaller glaciers", "unassigned"]
    total = sum(line.areas[1].area.exact for line in lines)
    assert total == pytest.approx(sum(row.area_km2 for row in rows if row.year == 2021))


def test_a_glaciers_half_interval_is_not_cut_at_no_ice():
    row = GlacierAreaRow(
        year=2021, rgi_id="a", area_km2=0.05, area_low_km2=0, area_high_km2=0.25, outline_area_km2=2, unseen_km2=0
    )
    (line,) = glacier_table([row], [2021])
    assert line.areas[0].half.shown == "0.20"


def test_glacier_table_has_a_gap_where_a_year_has_no_row():
    row = GlacierAreaRow(year=2021, rgi_id="a", area_km2=1, outline_area_km2=2, unseen_km2=0.5)
    (line,) = glacier_table([row], [2020, 2021])
    assert line.areas[0] is None
    assert line.areas[1].unseen.shown == "0.50"


def test_exact_values_are_those_of_the_metrics(page, nine_years):
    metrics = json.loads((nine_years.parents[1] / "metrics/evaluate.json").read_text())
    assert metrics["model"]["iou"] in page.values
    assert metrics["model"]["area_bias_pct"] in page.values
