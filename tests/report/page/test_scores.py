"""How far a probability can be trusted, in words."""

from __future__ import annotations

import pytest

from stages.common.tables.evaluate import ReliabilityRow
from stages.report.page.score_table import deviation_in_words


def row(probability: float, observed: float, pixels: int) -> ReliabilityRow:
    return ReliabilityRow(kind="calibrated", probability=probability, observed_fraction=observed, pixels=pixels)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ""),
        ([row(0.9, 0.1, 99)], ""),
        (
            [row(0.04, 0.01, 9000), row(0.86, 0.61, 500), row(0.5, 0.0, 3)],
            "It is farthest off at a probability of 0.86, where 61 % of the pixels are glacier: too sure of ice.",
        ),
        (
            [row(0.3, 0.5, 500)],
            "It is farthest off at a probability of 0.30, where 50 % of the pixels are glacier: "
            "not sure enough of ice.",
        ),
    ],
)
def test_the_largest_deviation_is_named(rows: list[ReliabilityRow], expected: str) -> None:
    assert deviation_in_words(rows) == expected
