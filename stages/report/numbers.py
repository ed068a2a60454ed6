"""Numbers on the page: rounded as text for readers, with their exact value for machines."""

from __future__ import annotations

from typing import NamedTuple

from stages.common.display.numbers import number_text, signed_text

P_MIN = 0.001
"""Smallest p that is written as a number; a smaller p is written as ``< 0.001``."""


class Number(NamedTuple):
    """A number on the page."""

    text: str
    """Number as readers see it."""
    exact: float
    """Number with all digits, as in series.json."""


def plain_number(value: float, decimals: int) -> Number:
    """Round `value` to `decimals`, with a true minus sign and never as ``-0``."""
    return Number(number_text(value, decimals), value)


def signed_number(value: float, decimals: int) -> Number:
    """Round like `plain_number`, with a plus sign above zero: an error or a change has a direction."""
    return Number(signed_text(value, decimals), value)


def optional_number(value: float | None, decimals: int) -> Number | None:
    """Round like `plain_number`; None stays None."""
    return None if value is None else plain_number(value, decimals)


def p_number(value: float) -> Number:
    """Round the p of a test to three decimals, never to 0."""
    return Number("< 0.001", value) if value < P_MIN else plain_number(value, 3)


def percent_number(fraction: float) -> Number:
    """Write a fraction in per cent with one decimal; only exactly 0 and 1 are written as 0 and 100 %."""
    text = f"{100 * fraction:.1f}"
    if text in ("100.0", "0.0") and fraction not in (0, 1):
        text = "> 99.9" if fraction > 0.5 else "< 0.1"
    return Number(f"{text} %", fraction)
