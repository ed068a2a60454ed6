"""Numbers as text."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def plain(value: float | None, places: int) -> str:
    """Rounded, with a true minus sign, never ``-0``; a dash where there is none."""
    if value is None:
        return "–"
    shown = f"{value:.{places}f}"
    return shown.replace("-", MINUS) if float(shown) else shown.lstrip("-")


def signed(value: float | None, places: int) -> str:
    """The same with a plus where it is more than nothing as shown."""
    shown = plain(value, places)
    return f"+{shown}" if value is not None and value > 0 and float(shown) else shown
