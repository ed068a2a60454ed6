"""Bands by name, however they are spelt."""

from __future__ import annotations

import pytest

from stages.ingest.sources.band_names import in_another_order

LISTED = ["B02", "B03", "B04"]


@pytest.mark.parametrize(
    ("described", "listed", "swapped"),
    [
        (["B4", "B3", "B2"], LISTED, True),
        (["B2", "B3", "B4"], LISTED, False),
        (["Band 4", "Band 3", "Band 2"], LISTED, True),
        (["red", "green", "blue"], LISTED, True),
        (["blue", "green", "red"], LISTED, False),
        (["B04", "B03", "B02"], ["red", "green", "blue"], False),
        (["SR_B4", "SR_B3", "SR_B2", "QA_PIXEL"], [*LISTED, "quality"], True),
        (["", "", ""], LISTED, False),
        (["B3", "depth", "B2"], ["B02", "depth", "B03"], True),
        # Landsat 5 and 7 number their bands unlike Sentinel-2: B1 is blue.
        (["B1", "B2", "B3", "B4", "B5", "B7"], [*LISTED, "B08", "B11", "B12"], False),
        (["B2", "B3", "B4", "B5", "B6", "B7"], [*LISTED, "B08", "B11", "B12"], False),
    ],
)
def test_the_same_bands_in_another_order(described: list[str], listed: list[str], swapped: bool) -> None:
    assert in_another_order(described, listed) == swapped
