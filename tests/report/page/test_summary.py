"""What the page says first, for changes whose answer is known."""

from __future__ import annotations

import pytest

from stages.common.tables.area import FrontTrendRow
from stages.report.page.summary import Slope, _fronts_in_words
from tests.report.page_reader import read_page


def front(retreat_m: float, p: float | None, *, detectable: bool) -> FrontTrendRow:
    return FrontTrendRow(
        rgi_id="a", n_years=9, first_year=2016, last_year=2024, retreat_m=retreat_m, retreat_sigma_m=10,
        mann_kendall_p=p, detectable=detectable,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ""),
        ([front(100, None, detectable=False)], ""),
        ([front(100, 0.5, detectable=False)], "None of 1 front moved steadily in one direction"),
        (
            [front(100, 0.001, detectable=True), front(90, 0.01, detectable=False)],
            "Both fronts went back (p < 0.05); for 1 of them the rate exceeds its error (95 %)",
        ),
        (
            [front(100, 0.001, detectable=False), front(-90, 0.01, detectable=False), front(1, 0.9, detectable=False)],
            "1 of 3 fronts went back and 1 of 3 fronts advanced (p < 0.05); "
            "for none of them the rate exceeds its error (95 %)",
        ),
    ],
)
def test_fronts_in_words(rows: list[FrontTrendRow], expected: str) -> None:
    assert _fronts_in_words(rows) == expected


def test_a_change_has_the_decimals_that_it_supports() -> None:
    assert Slope(-0.1077, -0.2251, 0.0098, 0.1666).text(-0.1077) == "−0.11"
    assert Slope(0.0, None, None, None).text(0.0) == "0.0000"


def test_cards_and_sentence_of_a_series(nine_years) -> None:
    text = read_page(nine_years).text
    assert "Change of the area−0.050 km² per year95 %: −0.060 to −0.040; detected" in text
    assert "From 2015 to 2024 the glaciers lost area." in text
    assert "Retreat of the fronts" in text


def test_a_single_year_has_its_area_and_no_sentence(one_year) -> None:
    text = read_page(one_year).text
    assert "Glacier area 2024" in text
    assert "Retreat of the fronts" not in text
    assert "From 2024" not in text
