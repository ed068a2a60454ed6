"""Retreat of each front in a table, and why positions are missing."""

from __future__ import annotations

from typing import Any

from stages.common.tables.area import FrontRow, FrontTrendRow
from stages.report.numbers import Number, optional_number, p_number, plain_number, signed_number

NOT_MEASURED = "The ice fronts were not measured"


def why_no_front(fronts: list[FrontRow]) -> str | None:
    """Return why there is neither chart nor table; None where any front has a position."""
    if any(row.position_m is not None for row in fronts):
        return None
    reasons = sorted({row.reason for row in fronts if row.reason})
    return f"{NOT_MEASURED}: {'; '.join(reasons) or 'no glacier is large enough, or there is no flow line'}."


def missing_positions(fronts: list[FrontRow]) -> list[tuple[str, int]]:
    """Count the missing positions by their reason, the most frequent first."""
    counts: dict[str, int] = {}
    for row in fronts:
        if row.position_m is None:
            reason = row.reason or "no reason given"
            counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def front_lines(rows: list[FrontTrendRow]) -> list[dict[str, Any]]:
    """Return the lines of the table, the longest retreat first; metres, and metres per year."""
    ordered = sorted(rows, key=lambda row: (-row.retreat_m, row.rgi_id))
    return [
        {
            "row": row,
            "retreat": signed_number(row.retreat_m, 0),
            "sigma": plain_number(row.retreat_sigma_m, 0),
            "rate": _signed(row.rate_m_per_year),
            "interval": (low, high)
            if (low := _signed(row.rate_low_m_per_year)) and (high := _signed(row.rate_high_m_per_year))
            else None,
            "box": _signed(row.box_rate_m_per_year),
            "minimum": optional_number(row.minimum_detectable_m_per_year, 1),
            "p": None if row.mann_kendall_p is None else p_number(row.mann_kendall_p),
        }
        for row in ordered
    ]


def _signed(value: float | None) -> Number | None:
    return None if value is None else signed_number(value, 1)
