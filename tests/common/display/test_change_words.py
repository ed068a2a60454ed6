from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.area.trends.fit import fit_trend
from stages.common.display.change_words import AREA, FRONT, Rate, plain_decimals, sentence

LOSS = Rate(per_year=-0.15, low=-0.21, high=-0.09, minimum=0.09, first_year=2016, last_year=2024, years=8.0, first=52.0)


def test_a_loss() -> None:
    assert sentence(LOSS, AREA) == (
        "Lost 1.2 ± 0.5 km² (2.3 ± 0.9 %) in 2016–2024, 0.15 ± 0.06 km² a year (95 %); "
        "smallest change detectable 0.09 km² a year"
    )


def test_no_change() -> None:
    rate = replace(LOSS, per_year=-0.14, low=-0.57, high=0.29, minimum=0.59)
    assert sentence(rate, AREA) == (
        "No change in area detected: −0.14 km² a year (95 %: −0.57 to +0.29). "
        "Changes above 0.59 km² a year would have been noticed"
    )


def test_a_front() -> None:
    rate = replace(LOSS, per_year=18.9, low=15.1, high=22.7, minimum=5.0, first=None)
    assert sentence(rate, FRONT) == (
        "Retreated by 151 ± 30 m in 2016–2024, 19 ± 4 m a year (95 %); smallest change detectable 5 m a year"
    )
    assert sentence(replace(rate, per_year=-18.9, low=-22.7, high=-15.1), FRONT).startswith("Advanced by 151 ± 30 m")
    assert sentence(replace(rate, per_year=3.1, low=-2.0, high=8.2), FRONT) == (
        "No change of the front detected: +3.1 m a year (95 %: −2.0 to +8.2; positive is retreat). "
        "Changes above 8.2 m a year would have been noticed"
    )


def test_a_lopsided_interval_is_stated_by_its_ends() -> None:
    rate = replace(LOSS, per_year=-0.15, low=-0.40, high=-0.02, minimum=0.2)
    assert sentence(rate, AREA) == (
        "Lost 1.2 (0.2 to 3.2) km² (2.3 (0.3 to 6.2) %) in 2016–2024, 0.15 (0.02 to 0.40) km² a year (95 %); "
        "a change of this size is missed in more than one of five such series"
    )


def test_rounding_does_not_bring_zero_into_the_interval() -> None:
    assert "0.152 ± 0.149 km² a year" in sentence(replace(LOSS, per_year=-0.152, low=-0.301, high=-0.003), AREA)


def test_an_end_next_to_zero_is_stated_by_as_many_decimals_as_it_needs() -> None:
    rate = replace(LOSS, per_year=1.0, low=0.5, high=1.99999, first=None, minimum=1.0)
    assert sentence(rate, AREA).startswith("Gained 8.0000 ± 7.9999 km² in 2016–2024, 1.00000 ± 0.99999 km² a year")


@pytest.mark.parametrize(
    ("per_year", "ends", "words"),
    [
        pytest.param(0.1, 0.02, "0.80 ± 0.16 km² (80 ± 16 %)", id="within what there was"),
        pytest.param(0.11, 0.03, "0.9 (0.6 to 1.0) km² (88 (64 to 100) %)", id="an end beyond it"),
        pytest.param(0.13, 0.03, "0.8 to 1.0 km² (80 to 100 %)", id="the line ends below nothing"),
        pytest.param(0.2, 0.02, "all of 1.0 km² (100 %)", id="so does the interval"),
        pytest.param(0.2, 0.0, "all of 1.0 km² (100 %)", id="without an error"),
    ],
)
def test_no_more_is_lost_than_there_was(per_year: float, ends: float, words: str) -> None:
    rate = replace(LOSS, per_year=-per_year, low=-per_year - ends, high=-per_year + ends, minimum=ends, first=1.0)
    assert sentence(rate, AREA).startswith(f"Lost {words} in 2016–2024, {per_year:.2f}")
    gain = replace(rate, per_year=per_year, low=per_year - ends, high=per_year + ends)
    assert f"Gained {per_year * 8:.1f}" in sentence(gain, AREA), "a gain has no bound"


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=12), st.integers(0, 300))
@settings(max_examples=200, deadline=None)
def test_no_series_of_areas_loses_more_than_its_first(thousandths: list[int], sigma: int) -> None:
    areas = [area / 1000 for area in thousandths]
    fit = fit_trend([2010.0 + year for year in range(len(areas))], areas, [sigma / 1000] * len(areas))
    rate = Rate(
        per_year=fit.slope, low=fit.low, high=fit.high, minimum=fit.minimum_detectable, first_year=2010,
        last_year=2009 + len(areas), years=len(areas) - 1, first=areas[0] or None,
    )  # fmt: skip
    words = sentence(rate, AREA)
    for per_cent in re.findall(r"\(([^()]*(?:\([^()]*\))?) %\)", words):
        size, *half = (float(number) for number in re.findall(r"[0-9.]+", per_cent))
        reach = size + half[0] if "±" in per_cent else max([size, *half])
        assert words.startswith("Gained") or reach <= 100.5 * (1 + 1e-9), words


def test_a_change_without_any_error_states_none() -> None:
    """A line of areas none of which has an error: ± 0.000 and a detectable change of 0.000 would be claims."""
    exact = replace(LOSS, per_year=-1.0, low=-1.0, high=-1.0, minimum=0.0, first=18.0)
    assert sentence(exact, AREA) == ("Lost 8.0 km² (44 %) in 2016–2024, 1.0 km² a year; no error of it is known")
    still = replace(exact, per_year=0.0, low=0.0, high=0.0)
    assert sentence(still, AREA) == (
        "No change in area detected: all years have the same value, and no error of it is known"
    )


@pytest.mark.parametrize(("uncertainty", "decimals"), [(0.058, 2), (0.14, 2), (0.48, 1), (1.0, 1), (30.4, 0), (140, 0)])
def test_digits(uncertainty: float, decimals: int) -> None:
    assert plain_decimals(uncertainty) == decimals


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(0.001, 1), st.floats(0.001, 1))
@settings(max_examples=300, deadline=None)
def test_a_sentence_never_contradicts_its_interval(slope: float, below: float, above: float, minimum: float) -> None:
    rate = replace(LOSS, per_year=slope, low=slope - below, high=slope + above, minimum=minimum)
    words = sentence(rate, AREA)
    assert words.startswith("No change") != (slope - below > 0 or slope + above < 0)
    for size, half in re.findall(r"([0-9.]+) ± ([0-9.]+)", words):
        assert float(half) < float(size)
    if not rate.detected:
        low, high, noticed = (float(number) for number in re.findall(r"(?:: .|to .|above )([0-9.]+[0-9])", words)[-3:])
        assert noticed >= max(low, high)
