"""What the name of a scene's file says: its day, its year, its level and its processing baseline."""

from __future__ import annotations

import datetime as dt
import re

DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
"""A day in digits, as 20201006 or 2020-10-06; of several the first is that of the acquisition."""

DAY_OF_YEAR = re.compile(r"(?:^L[A-Z]\d\d{6}|[._-]|(?<=\.))((?:19|20)\d\d)([0-3]\d\d)(?=[A-Z]{3}\d\d|T\d{6})")
"""Year and day of the year, as in the scene ids of Landsat until 2016 (LE71400412000304SGS00) and in those of HLS."""

YEAR = re.compile(r"(?<!\d)(19[789]\d|20\d\d)(?!\d)")

LEVELS = {
    "MSIL2A": "L2A",
    "MSIL1C": "L1C",
    "L1TP": "L1TP",
    "L2SP": "L2SP",
    "HLS": "HLS",
}
"""Parts of products' names, and the level that they state."""

BASELINE = re.compile(r"_N(\d\d)(\d\d)_")


def day_in(name: str) -> dt.date | None:
    """Return the day of acquisition that a file's name states.

    >>> day_in("LE71400412000304SGS00_RGB"), day_in("S2A_MSIL2A_20201006T052641_N0500_R105_T44RLV_20231010T101010")
    (datetime.date(2000, 10, 30), datetime.date(2020, 10, 6))
    """
    if match := DAY.search(name):
        try:
            return dt.date(*(int(part) for part in match.groups()))
        except ValueError:
            return None
    if match := DAY_OF_YEAR.search(name):
        day = dt.date(int(match[1]), 1, 1) + dt.timedelta(days=int(match[2]) - 1)
        return day if day.year == int(match[1]) else None
    return None


def year_in(name: str) -> int | None:
    """Return the one year that a file's name states without a day; None where it states none, or several."""
    years = set(YEAR.findall(name))
    return int(years.pop()) if len(years) == 1 else None


def level_in(name: str) -> str | None:
    """Return the processing level, as params.yaml names it."""
    return next((level for part, level in LEVELS.items() if re.search(rf"(?:^|[_.]){part}(?:[_.]|$)", name)), None)


def baseline_in(name: str) -> str | None:
    """Return the processing baseline of a Sentinel-2 product, as 05.00."""
    match = BASELINE.search(name)
    return f"{match[1]}.{match[2]}" if match else None
