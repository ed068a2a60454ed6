"""The table of all figures that are called change."""

from __future__ import annotations

from tests.report.page_reader import read_page


def test_every_figure_of_change_has_a_line(nine_years) -> None:
    text = read_page(nine_years).text
    table = text[text.index("Why the figures of change differ") : text.index("Areas Area per year")]
    names = ["Change product: the card above", "Trend of the common area", "Common area, 2024 less 2015",
             "Whole area, 2024 less 2015", "Gained less lost ground, 2015 to 2024"]  # fmt: skip
    places = [table.index(name) for name in names]
    assert places == sorted(places)
    assert "−0.050−0.060 to −0.040" in table
    assert "−1.90−2.24 to −1.56" in table


def test_every_figure_says_which_product_it_is(nine_years) -> None:
    """The trend of the common area is that of the images too: the yearly outlines are no measure of change."""
    page = read_page(nine_years)
    table = page.text[page.text.index("Why the figures of change differ") : page.text.index("Areas Area per year")]
    assert table.count("from the images alone") == 5
    assert "yearly outlines" not in table


def test_a_single_year_has_no_such_table(one_year) -> None:
    assert "Why the figures of change differ" not in read_page(one_year).text
