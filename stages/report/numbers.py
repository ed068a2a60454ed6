"""Numbers on the page: shown rounded, kept whole for machines."""

from __future__ import annotations

from typing import NamedTuple

from stages.common.display.numbers import number_text, signed_text

P_LEAST = 0.001
"""A smaller p is only said to be smaller."""


class Number(NamedTuple):
    """A number as it is shown and as it stands in its file."""

    shown: str
    exact: float


def number(value: float, decimals: int) -> Number:
    """Rounded to decimals, with a true minus sign; never ``-0.0``."""
    return Number(number_text(value, decimals), value)


def signed(value: float, decimals: int) -> Number:
    """With a plus sign where it is above zero: an error or a change has a direction."""
    return Number(signed_text(value, decimals), value)


def optional(value: float | None, decimals: int) -> Number | None:
    """`number` of what may not be known."""
    return None if value is None else number(value, decimals)


def p_value(value: float) -> Number:
    """The p of a test, which is never 0."""
    return Number("< 0.001", value) if value < P_LEAST else number(value, 3)


def percent(fraction: float) -> Number:
    """A fraction in per cent. What is not quite nothing or all is never shown as 0 or 100."""
    shown = f"{100 * fraction:.1f}"
    if shown in ("100.0", "0.0") and fraction not in (0, 1):
        shown = "> 99.9" if fraction > 0.5 else "< 0.1"
    return Number(f"{shown} %", fraction)
