from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.display.numbers import decimals_for, length_text, number_text, round_length_m, signed_text


@pytest.mark.parametrize(
    ("uncertainty", "decimals"),
    [
        pytest.param(144.0, 0, id="never below zero"),
        pytest.param(14.4, 0, id="tens"),
        pytest.param(9.99, 1, id="ones"),
        pytest.param(0.144, 2, id="tenths"),
        pytest.param(0.05, 3, id="hundredths"),
        pytest.param(1e-9, 6, id="tiny"),
        pytest.param(0.0, 4, id="zero"),
        pytest.param(-0.0, 4, id="minus zero"),
        pytest.param(-1.5, 4, id="negative"),
        pytest.param(math.nan, 4, id="not a number"),
        pytest.param(math.inf, 4, id="infinite"),
    ],
)
def test_decimals_show_two_digits_of_the_uncertainty(uncertainty: float, decimals: int) -> None:
    assert decimals_for(uncertainty) == decimals


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        pytest.param(3.26, "3.3", "+3.3", id="positive"),
        pytest.param(-3.26, "−3.3", "−3.3", id="negative"),
        pytest.param(0.0, "0.0", "0.0", id="zero"),
        pytest.param(-0.0, "0.0", "0.0", id="minus zero"),
        pytest.param(0.04, "0.0", "0.0", id="rounds to zero"),
        pytest.param(-1e-12, "0.0", "0.0", id="rounds to zero from below"),
        pytest.param(0.051, "0.1", "+0.1", id="just above"),
        pytest.param(math.nan, "–", "–", id="not a number"),
        pytest.param(None, "–", "–", id="absent"),
    ],
)
def test_numbers_with_and_without_a_sign(value: float | None, plain: str, signed: str) -> None:
    assert number_text(value, 1) == plain
    assert signed_text(value, 1) == signed


@pytest.mark.parametrize(("value", "text"), [(-3.7, "−4"), (-0.3, "0"), (0.3, "0"), (12.0, "12")])
def test_no_decimals(value: float, text: str) -> None:
    assert number_text(value, 0) == text


@pytest.mark.parametrize(
    ("longest", "expected"), [(999, 500), (1000, 1000), (4999, 2000), (60_000, 50_000), (0.3, 0.2)]
)
def test_scale_bar_has_a_round_length(longest: float, expected: float) -> None:
    assert round_length_m(longest) == pytest.approx(expected)


@given(st.floats(1, 1e6))
def test_scale_bar_is_at_most_as_long_as_there_is_room_and_not_tiny(longest: float) -> None:
    assert longest / 2.6 <= round_length_m(longest) <= longest * 1.0000001


def test_length_has_a_unit() -> None:
    assert [length_text(length) for length in (500, 1000, 2500)] == ["500 m", "1 km", "2.5 km"]
