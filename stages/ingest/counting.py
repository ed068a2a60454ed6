"""Numbers in messages."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """Return a number and what it counts: 1 year, 2 years."""
    return f"{number} {what}{'' if number == 1 else 's'}"
