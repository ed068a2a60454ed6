"""Drift of the input in words."""

from __future__ import annotations

import pytest

from stages.common.tables.drift import DriftRow
from stages.report.page import input_table


@pytest.mark.parametrize(
    ("psi", "shift", "words"),
    [(0.25, 9.0, None), (0.3, 0.5, "shifted: B03 brighter by 0.5"), (0.3, -1.0, "shifted: B03 darker by 1.0")],
)
def test_a_strong_shift_is_described_in_words(psi, shift, words):
    text = input_table.shift_text([DriftRow(year=2020, band="B03", psi=psi, mean_shift_sd=shift)])
    assert text is None if words is None else (text or "").startswith(words)
