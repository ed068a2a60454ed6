"""What the page says first, for changes whose answer is known."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from pathlib import Path

import pytest

from stages.common.params.schema import load_params
from stages.common.run.stage import Run
from stages.common.tables.area import FrontTrendRow
from stages.report.contract import CONTRACT
from stages.report.findings import Findings, read_findings
from stages.report.page.summary import Slope, _fronts_in_words, cards
from tests.report.page_reader import read_page


def front(retreat_m: float, *, detectable: bool | None) -> FrontTrendRow:
    return FrontTrendRow(
        rgi_id="a", n_years=9, first_year=2016, last_year=2024, retreat_m=retreat_m, retreat_sigma_m=10,
        rate_m_per_year=retreat_m / 8, mann_kendall_p=1e-4, detectable=detectable,
    )  # fmt: skip


def findings_of(report: Path) -> Findings:
    """Read what a report in this folder was made of."""
    with contextlib.chdir(report.parents[1]):
        return read_findings(Run(CONTRACT, load_params(), None, report, logging.getLogger("report")))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ""),
        ([front(100, detectable=None)], ""),
        ([front(100, detectable=False)], "No movement of the front was detected"),
        ([front(100, detectable=False), front(-90, detectable=False)], "No movement of any of 2 fronts was detected"),
        ([front(100, detectable=True)], "The front went back by more than its error (95 %)"),
        (
            [front(100, detectable=True), front(9, detectable=True)],
            "Both fronts went back by more than their error (95 %)",
        ),
        (
            [front(100, detectable=True), front(-90, detectable=True), front(90, detectable=False)],
            "1 of 3 fronts went back and 1 of 3 fronts advanced by more than their error (95 %)",
        ),
    ],
)
def test_fronts_in_words(rows: list[FrontTrendRow], expected: str) -> None:
    """A small p alone moves no front: its own sentence may say that no change of it was detected."""
    assert _fronts_in_words(rows) == expected


def test_a_change_has_the_decimals_that_it_supports() -> None:
    assert Slope(-0.1077, -0.2251, 0.0098, 0.1666).text(-0.1077) == "−0.11"
    assert Slope(0.0, None, None, None).text(0.0) == "0.0000"


def test_cards_and_sentence_of_a_series(nine_years) -> None:
    text = read_page(nine_years).text
    assert "Change of the area−0.050 km² per year95 %: −0.060 to −0.040; detected; from the images alone" in text
    assert "From 2015 to 2024 the glaciers lost area." in text
    assert "Retreat of the fronts" in text


@pytest.mark.parametrize(("detectable", "verdict"), [(True, ""), (None, ""), (False, ", no change detected")])
def test_the_card_of_fronts_says_where_the_longest_is_within_its_error(detectable, verdict, nine_years) -> None:
    rows = [front(172, detectable=detectable), front(127, detectable=True)]
    findings = findings_of(nine_years)
    statistics = dataclasses.replace(findings.statistics, front_trends=rows)
    (*_, card) = cards(dataclasses.replace(findings, statistics=statistics))
    assert card.figure == "+127 to +172 m"
    assert card.note == f"2 fronts, 2016–2024; longest: a, +172 ± 10 m{verdict}; from the images alone"


def test_a_single_year_has_its_area_and_no_sentence(one_year) -> None:
    text = read_page(one_year).text
    assert "Glacier area 2024" in text
    assert "Retreat of the fronts" not in text
    assert "From 2024" not in text
