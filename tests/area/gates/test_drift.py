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


def shares(psi: float, **darkest: float) -> Drift:
    """Of bands of which a tenth of the training pixels are in the darkest group."""
    bands = [
        BandDrift(band=band, psi=psi, mean_shift_sd=0.0, darkest_share=share, darkest_share_in_training=0.1)
        for band, share in darkest.items()
    ]  # fmt: skip
    return Drift(year=2020, pixels=100, bands=bands)


@pytest.mark.parametrize(
    ("drift", "passed"),
    [
        pytest.param(shares(3.4, B03=0.0, B11=0.001), False, id="an offset left in: nothing is as dark as before"),
        pytest.param(shares(1.6, B03=0.9, B11=0.6), False, id="subtracted twice: nearly all is darker"),
        pytest.param(shares(1.68, B03=0.04, B11=0.3), True, id="a snowier year: shadow stays dark, snow is in B11"),
        pytest.param(shares(1.68, B03=0.0, B11=0.6), True, id="snow on all: brighter in one band, darker in another"),
        pytest.param(shares(0.9, B03=0.0, B11=0.0), True, id="below the bound"),
    ],
)
def test_snow_is_no_offset(drift: Drift, passed: bool) -> None:
    finding = input_drift([drift], maximum=1.0)
    assert finding.passed is passed
    assert ("look for snow" in finding.message) is (passed and drift.bands[0].psi > 1)


def test_rows_hold_each_band_and_the_reason_of_a_year_without_any() -> None:
    assert drift_rows([drift(2019, B03=0.4, B11=0.2), drift(2020)]) == [
        DriftRow(year=2019, band="B03", psi=0.4, mean_shift_sd=0.0),
        DriftRow(year=2019, band="B11", psi=0.2, mean_shift_sd=0.0),
        DriftRow(year=2020, reason="no pixel was seen"),
    ]
