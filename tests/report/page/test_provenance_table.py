"""What stands beside a scene whose offset is doubted."""

from __future__ import annotations

import pytest

from stages.common.tables.prepare import OffsetProof
from stages.report.page.provenance_table import offset_doubt
from tests.report.report_inputs import provenance


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("proven", None),
        ("not proven", None),
        ("left in", "the pixels say that the offset is left in"),
        ("unlike its baseline", "it contradicts the baseline"),
    ],
)
def test_a_doubted_offset_is_named(verdict: str, expected: str | None) -> None:
    (source,) = provenance(2020, "sentinel2", 1e-4, 0.0, 0.0).sources
    assert offset_doubt(source) is None
    proof = OffsetProof.model_validate(
        {"method": None, "verdict": verdict, "pixels": 0, "below_offset_fraction": {}, "negative_fraction": {}}
    )
    assert offset_doubt(source.model_copy(update={"offset_proof": proof})) == expected
