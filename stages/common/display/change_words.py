"""State a change over the years as a glaciologist writes it. A sentence never contradicts the interval it states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count

from stages.common.display.numbers import DASH, decimals_for, number_text, signed_text


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words for a change of one kind."""

    rise: str
    fall: str
    none: str
    unit: str
    sign: str = ""
    """Meaning of the sign, where it is not plain."""


AREA = Words(rise="Gained", fall="Lost", none="No change in area detected", unit="km²")
FRONT = Words(
    rise="Retreated by", fall="Advanced by", none="No change of the front detected", unit="m",
    sign="; positive is retreat",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A change per year with its 95 % interval, in the unit of its words."""

    per_year: float
    low: float | None
    """None where the series is too short for an interval."""
    high: float | None
    minimum: float
    """Rate that is detected in four of five series."""
    first_year: int
    last_year: int
    years: float
    """Time between the first and the last value, decimal years."""
    first: float | None = None
    """Value of the first year, which the per cent refer to; None: no per cent."""

    @property
    def detected(self) -> bool:
        """Whether the 95 % interval leaves 0 out."""
        return leaves_zero_out(self.low, self.high)

    @property
    def has_error(self) -> bool:
        """Whether the interval has a width."""
        return self.noticed - abs(self.per_year) > NO_ERROR * abs(self.per_year)

    @property
    def noticed(self) -> float:
        """Rate above which a change would have been noticed: the minimum, or the far end where that is larger."""
        return max([self.minimum, *(abs(end) for end in (self.low, self.high) if end is not None)])


NO_ERROR = 1e-9
"""Errors this small, relative to the rate, come from floating-point arithmetic: nobody has stated one."""
NO_ERROR_KNOWN = "no error of it is known"


def leaves_zero_out(low: float | None, high: float | None) -> bool:
    """Return whether an interval lies on one side of 0; False without an interval."""
    return low is not None and high is not None and (low > 0 or high < 0)


def sentence(rate: Rate, words: Words) -> str:
    """State a rate: what changed, or that no change was detected and which one would have been."""
    if rate.low is None or rate.high is None:
        slope = signed_text(rate.per_year, decimals_for(rate.minimum))
        return f"{words.none}: {slope} {words.unit} a year{words.sign}. Fewer than five years have no 95 % interval"
    if not rate.detected:
        return none_detected(rate, words)
    return f"{changed(rate, words)}; {power(rate, words)}"


def none_detected(rate: Rate, words: Words) -> str:
    """State a rate whose interval holds 0, and the change that would have been noticed."""
    digits = decimals_for(rate.minimum)
    if float(number_text(rate.noticed, digits)) == 0:
        return f"{words.none}: all years have the same value, and {NO_ERROR_KNOWN}"
    low, high = (signed_text(end, digits) for end in (rate.low, rate.high))
    return (
        f"{words.none}: {signed_text(rate.per_year, digits)} {words.unit} a year (95 %: {low} to {high}{words.sign}). "
        f"Changes above {number_text(rate.noticed, digits)} {words.unit} a year would have been noticed"
    )


def changed(rate: Rate, words: Words) -> str:
    """State a rate whose interval leaves 0 out: in all, in % of the first value, and per year.

    Without an interval where the rate has no error (years on a line, none of which states one). A loss in all is at
    most the first value, however far the line through the years falls.
    """
    ends = sorted(abs(end) for end in (rate.low, rate.high) if end is not None)
    size = abs(rate.per_year)
    verb = words.rise if rate.per_year > 0 else words.fall
    period = f"{rate.first_year}{DASH}{rate.last_year}"
    level = " (95 %)" if rate.has_error else ""
    return f"{verb} {_in_all(rate, words, ends)} in {period}, {_size(size, ends, 1.0)} {words.unit} a year{level}"


def _in_all(rate: Rate, words: Words, ends: list[float]) -> str:
    """Return ``1.2 ± 0.5 km² (2.3 ± 0.9 %)``; where the line falls by more than there was, ``0.7 to 1 km²`` or all."""
    size, times = abs(rate.per_year), rate.years
    if not rate.first:
        return f"{_size(size, ends, times)} {words.unit}"
    most = rate.first / times if rate.per_year < 0 else math.inf
    pct = 100 * times / rate.first
    if size < most:
        return f"{_size(size, ends, times, most)} {words.unit} ({_size(size, ends, pct, most)} %)"
    if ends[0] >= most * (1 - NO_ERROR):
        return f"all of {number_text(rate.first, decimals_for(rate.first))} {words.unit} (100 %)"
    return f"{_up_to(ends[0] * times, rate.first)} {words.unit} ({_up_to(ends[0] * pct, 100.0)} %)"


def _up_to(low: float, high: float) -> str:
    """Return ``0.7 to 1.0`` with the decimals that show how far `low`, above 0, is from `high`."""
    decimals = next(d for d in count(plain_decimals(high - low)) if 0 < round(low, d) < round(high, d))
    return f"{number_text(low, decimals)} to {number_text(high, decimals)}"


def power(rate: Rate, words: Words) -> str:
    """State the smallest change detectable, or that a change of this size is often missed."""
    if not rate.has_error:
        return NO_ERROR_KNOWN
    if abs(rate.per_year) < rate.minimum:
        return "a change of this size is missed in more than one of five such series"
    return f"smallest change detectable {number_text(rate.minimum, plain_decimals(rate.minimum))} {words.unit} a year"


def plain_decimals(uncertainty: float) -> int:
    """Return the decimals that show one significant digit, or two where the first is 1: 0.058 as 0.06, 0.14 as 0.14."""
    two = decimals_for(uncertainty)
    leading = f"{uncertainty:.1e}"[0]
    return two if leading == "1" else max(two - 1, 0)


def _size(size: float, ends: list[float], times: float, most: float = math.inf) -> str:
    """Return ``1.2 ± 0.5``, or ``1.2 (0.1 to 2.9)`` where the longer side of the interval is longer than the size.

    It has so many decimals that an interval that leaves 0 out does not touch it after rounding. Both ends are given
    also where ± would reach beyond `most`, which cannot be; all are in the unit of the rate.
    """
    size, low, high, most = size * times, ends[0] * times, ends[-1] * times, most * times
    half = max(high - size, size - low)
    if half <= NO_ERROR * size:
        return number_text(size, decimals_for(size))
    decimals = plain_decimals(half)
    if half >= size or size + half > most:
        high = min(high, most)
        decimals = next(d for d in count(decimals) if round(low, d) > 0)
        return f"{number_text(size, decimals)} ({number_text(low, decimals)} to {number_text(high, decimals)})"
    decimals = next(d for d in count(decimals) if round(half, d) < round(size, d))
    return f"{number_text(size, decimals)} ± {number_text(half, decimals)}"
