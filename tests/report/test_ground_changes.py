"""Lost and gained ground: order of the lines, signs, and the sum."""

from __future__ import annotations

from stages.common.display.phrases import NEAR_NO_OUTLINE
from stages.common.tables.area import ChangeRow
from stages.report.ground_changes import change_lines, change_total


def change(rgi_id: str, lost_km2: float, gained_km2: float) -> ChangeRow:
    return ChangeRow(
        from_year=2016, year=2024, rgi_id=rgi_id, lost_km2=lost_km2, gained_km2=gained_km2, unchanged_km2=5.0,
        unseen_km2=0.25,
    )  # fmt: skip


ROWS = [change("a", 0.1, 0.0), change("b", 0.2, 0.5), change("unassigned", 0.0, 0.3)]


def test_the_glacier_that_changed_most_comes_first():
    assert [line.rgi_id for line in change_lines(ROWS)] == ["b", NEAR_NO_OUTLINE, "a"]


def test_net_change_has_a_sign():
    assert [line.net.text for line in change_lines(ROWS)] == ["+0.30", "+0.30", "\N{MINUS SIGN}0.10"]


def test_total_is_the_sum_of_all_rows():
    total = change_total(ROWS)
    assert total is not None
    assert (total.lost.text, total.gained.text, total.net.text) == ("0.30", "0.80", "+0.50")
    assert (total.unchanged.text, total.unseen.text) == ("15.00", "0.75")
    assert change_total([]) is None
