"""The page: complete, self-contained, honest."""

from __future__ import annotations

import csv
import json
import re

import pytest
import yaml

from sandbox.onnx_bytes import smallest_model
from stages.common.run.outputs import write_table
from stages.common.tables.review import ReviewRow
from tests.report import report_inputs
from tests.report.page_reader import read_page


@pytest.fixture(scope="module")
def page(nine_years):
    return read_page(nine_years)


def test_page_reaches_for_nothing_outside(page, nine_years):
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert all(source.startswith(("data:image/", "#")) for source in page.sources)
    outside_scripts = re.sub(r"base64,[\w+/=]+|<script.*?</script>|<!--.*?-->", "", html, flags=re.DOTALL)
    assert not re.search(r"https?://|//[a-z]|url\(|@import", outside_scripts)
    assert "default-src 'none'" in html


def test_page_embeds_the_pictures_that_stand_beside_it(page):
    kinds = [source.split(";")[0] for source in page.sources if source.startswith("data:")]
    assert kinds == ["data:image/png"] * 8
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


def test_a_name_and_what_it_rests_on_do_not_run_together(page, nine_years):
    """The note stands below the figure, as in the cards of the first section."""
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<dt>[^<]*<small>", html)
    assert re.search(r"IoU of all years pooled[\d.]+outlines product|IoU of all years pooled[\d.]+from the", page.text)


@pytest.mark.parametrize("name", ["nine_years", "one_year"])
def test_each_statement_ends_with_one_full_stop(name, request):
    html = (request.getfixturevalue(name) / "index.html").read_text(encoding="utf-8")
    (section,) = re.findall(r"In exact words</h2>(.*?)(?:<h3>|</section>)", html, flags=re.DOTALL)
    paragraphs = re.findall(r"<p[^>]*>(.*?)</p>", section, flags=re.DOTALL)
    assert len(paragraphs) >= 2
    assert all(re.search(r"[^.]\.$", text) for text in paragraphs), paragraphs


def test_page_says_which_interval_each_plus_minus_is(page):
    """Sentences of change state 95 %, areas one standard deviation: one sentence for both would be wrong for one."""
    assert "where a sentence says (95 %), ± is the longer side of that interval" in page.text


def test_page_tells_the_gates(page):
    assert "1 of 5 FAILED: do not use these numbers" in page.text
    assert "FAILEDannual_change: 7.1 % from 2017 to 2018, at most 5 %" in page.text


def report_of_a_poor_model(site, override):
    """Text and source of the page where held-out IoU must be 0.99 above the baselines, which fails the stage `gate`."""
    from tests.report.conftest import run_report

    report_inputs.make_artifacts(site, (2024,), simulated=False)
    params = yaml.safe_load((site / "params.yaml").read_text())
    params["gates"] |= {"iou_over_baseline_min": 0.99, "override": override}
    (site / "params.yaml").write_text(yaml.safe_dump(params))
    folder = run_report(site)
    return read_page(folder).text, (folder / "index.html").read_text(encoding="utf-8")


def test_page_tells_of_a_model_that_is_no_better_than_none(tmp_path):
    text, html = report_of_a_poor_model(tmp_path, [])
    assert "Gates: 1 of 5 FAILED: do not use these numbers" in text
    assert "FAILEDiou_over_baseline: held-out IoU 0.812, +0.502 against the better baseline" in text
    assert 'class="good">all' not in html


def test_a_model_let_pass_by_an_expert_stands_in_red(tmp_path):
    text, html = report_of_a_poor_model(tmp_path, ["iou_over_baseline"])
    assert "Gates: 1 of 5 overridden by an expert" in text
    assert "1 gate overridden by an expert: iou_over_baseline: held-out IoU 0.812" in text
    assert html.index('class="alarm"') < html.index('id="map-title"')


def test_page_escapes_what_comes_from_files(nine_years):
    html = (nine_years / "index.html").read_text(encoding="utf-8")
    assert "Large &lt;&amp;&gt; first" in html
    assert "made up &lt;2015&gt;" in html


def test_page_tells_provenance_scores_and_model(page):
    for expected in (
        "S2A_MSIL2A_20211015T052841_N0500_R105_T44RLV", "44RLV", "47.8° / 159.2°", "90.3 %", "Unchanged outline",
        "not scored: the labels are this outline itself", "brightness >= 123", "1,940,817", report_inputs.MODEL_MD5,
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
    truth = report_inputs.TRUTH_METRICS
    assert {truth.iou, truth.mean_absolute_error_pct} <= set(page.values)
    assert "True slope of the common area−0.210 km² per year" in page.text
    assert "(95 % interval: −0.261 to −0.201)" in page.text


def test_a_real_site_has_no_truth_on_its_page(one_year):
    page = read_page(one_year)
    assert "simulated" not in page.text.lower()
    assert "truth" not in page.text.lower()


def test_one_year_site_has_a_page_without_a_trend(one_year):
    page = read_page(one_year)
    assert "One year: no change to state." in page.text
    assert "all 5 passed" in page.text
    assert "glacier area 2024 " in page.text


def test_page_says_when_another_model_mapped(tmp_path):
    from tests.report.conftest import run_report

    site = report_inputs.make_artifacts(tmp_path, (2024,))
    (site / "artifacts/train/model.onnx").write_bytes(smallest_model("trained later"))
    assert "made by another model" in read_page(run_report(site)).text


def test_exact_values_are_those_of_the_metrics(page, nine_years):
    metrics = json.loads((nine_years.parents[1] / "metrics/evaluate.json").read_text())
    assert metrics["model"]["iou"] in page.values
    assert metrics["model"]["area_bias_pct"] in page.values


@pytest.mark.parametrize("name", ["nine_years", "one_year"])
def test_page_uses_one_word_for_each_thing(name, request):
    text = read_page(request.getfixturevalue(name)).text
    assert text.lower().count("terminus") == (1 if name == "nine_years" else 0)
    for word in ("not seen", "km2", "a year)", "km² a year", "m a year", "% a year", "sigma"):
        assert word not in text, word


def test_page_says_who_looked_at_what_and_names_rejected_years(tmp_path):
    from tests.report.conftest import run_report

    site = report_inputs.make_artifacts(tmp_path, (2022, 2023, 2024))
    rows = [
        ReviewRow(
            year=2023, what="year", decision="reject", by="Ada", at="2026-11-28T23:05:00Z", comment="snow <b>",
            same_maps=False, method="automatic",
        ),
        ReviewRow(
            year=2022, what="glacier", rgi_id="RGI60-15.00002", decision="reject", by="Ada", at="2026-11-28T23:05:00Z",
            same_maps=True, method="automatic",
        ),
        ReviewRow(
            year=2024, what="outline", rgi_id="RGI60-15.00001", decision="correct", by="Ada", at="2026-11-28T23:05:00Z",
            method="automatic with manual editing",
        ),
    ]  # fmt: skip
    write_table(site / "artifacts/area/review.csv", rows, ReviewRow)
    text = " ".join(read_page(run_report(site)).text.split())
    assert "as a person rejected the map: 2023." in text
    assert "2022: counted as not seen, as a person rejected the outline: RGI60-15.00002." in text
    assert "rejected in an earlier version of the map" in text.replace("rejectedin", "rejected in")
    assert "2026-11-28 23:05" in text
    assert "snow <b>" in text
    assert "automatic with manual editing" in text
