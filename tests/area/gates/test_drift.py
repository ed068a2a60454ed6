from __future__ import annotations

import pytest

from stages.area.gates.drift import drift_rows, input_drift
from stages.common.tables.drift import BandDrift, Drift, DriftRow


def drift(year: int, **psi: float) -> Drift:
    bands = [BandDrift(band=band, psi=value, mean_shift_sd=0.0) for band, value in psi.items()]
    return Drift(year=year, pixels=100 if bands else 0, bands=bands, reason=None if bands else "no pixel was seen")


@pytest.mark.parametrize(
    ("drifts", "passed", "words"),
    [
        pytest.param([drift(2019, B03=0.45, B11=0.2), drift(2020, B03=0.02)], True, "0.45 (stability index; B03 in"),
        pytest.param([drift(2019, B03=0.45), drift(2020, B03=1.1, B11=1.6)], False, "too far in 2020: is an offset"),
        pytest.param([drift(2019, B03=1.0)], True, "bound 1", id="at the bound"),
        pytest.param([drift(2020)], True, "could be compared", id="nothing seen"),
        pytest.param([], True, "could be compared", id="an older model"),
    ],
)  # fmt: skip
def test_passes_and_fails_with_numbers(drifts: list[Drift], passed: bool, words: str) -> None:
    finding = input_drift(drifts, maximum=1.0)
    assert (finding.gate, finding.passed) == ("input_drift", passed)
    assert words in finding.message


def test_rows_hold_each_band_and_the_reason_of_a_year_without_any() -> None:
    assert drift_rows([drift(2019, B03=0.4, B11=0.2), drift(2020)]) == [
        DriftRow(year=2019, band="B03", psi=0.4, mean_shift_sd=0.0),
        DriftRow(year=2019, band="B11", psi=0.2, mean_shift_sd=0.0),
        DriftRow(year=2020, reason="no pixel was seen"),
    ]
