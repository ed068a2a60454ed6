"""Numbers as text: rounded to the digits that their uncertainty supports, with a true minus sign."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"

DASH = "\N{EN DASH}"
"""Text of a value that does not exist."""

SIGNIFICANT_DIGITS = 2
"""Digits that an uncertainty is stated with; its value is rounded to the last of them (GUM, JCGM 100:2008, 7.2.6)."""

EXACT_DECIMALS = 4
"""Decimals of a value without uncertainty: 1e-4 km2 is a pixel of 10 m."""

MOST_DECIMALS = 6


def decimals_for(uncertainty: float) -> int:
    """Return the decimals (0 to 6) that show `uncertainty` with two significant digits.

    Zero, a negative number, infinity and NaN say nothing of the digits: `EXACT_DECIMALS`.
    """
    if not 0 < uncertainty < math.inf:
        return EXACT_DECIMALS
    return min(MOST_DECIMALS, max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(uncertainty))))


def number_text(value: float | None, decimals: int) -> str:
    """Return `value` rounded to `decimals`, with a true minus sign and never as ``-0``; a dash for None and NaN."""
    if value is None or math.isnan(value):
        return DASH
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS if float(text) else "")


def signed_text(value: float | None, decimals: int) -> str:
    """Return `number_text` with a plus sign before a value above zero; no sign where it rounds to zero."""
    text = number_text(value, decimals)
    return f"+{text}" if value is not None and value > 0 and float(text) else text


def round_length_m(longest_m: float) -> float:
    """Return the longest of 1, 2, 5, 10, 20, ... metres that is at most `longest_m`: the length of a scale bar."""
    power = 10.0 ** math.floor(math.log10(longest_m))
    return max(step * power for step in (1, 2, 5) if step * power <= longest_m * (1 + 1e-9))


def length_text(length_m: float) -> str:
    """Return a length as ``500 m`` or ``2 km``."""
    return f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
