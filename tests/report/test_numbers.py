"""Numbers on the page."""

from __future__ import annotations

import pytest

from stages.report.numbers import p_number, percent_number, plain_number, signed_number


@pytest.mark.parametrize(
    ("p", "shown"), [(5.5e-06, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (0.0496, "0.050"), (1.0, "1.000")]
)
def test_a_p_is_never_0(p, shown):
    assert p_number(p) == (shown, p)


def test_numbers_keep_their_exact_value():
    assert plain_number(-0.001, 2) == ("0.00", -0.001)
    assert plain_number(-3.21, 1).text == "\N{MINUS SIGN}3.2"


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(1.0, "100.0 %"), (0.99999, "> 99.9 %"), (0.00001, "< 0.1 %"), (0.0, "0.0 %"), (0.5, "50.0 %")],
)
def test_almost_nothing_is_not_nothing(fraction, shown):
    assert percent_number(fraction).text == shown


@pytest.mark.parametrize(("value", "shown"), [(0.4, "+0.4"), (-0.4, "−0.4"), (0.04, "0.0"), (-0.04, "0.0")])
def test_errors_have_a_direction(value, shown):
    assert signed_number(value, 1).text == shown
