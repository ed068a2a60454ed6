"""Years of a series are seasons: one austral summer, November and January, is one year of the series."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import replace

from stages.common.errors import ParamsError
from stages.common.params.ingest import SeasonParams
from stages.common.params.schema import Params
from stages.common.scene.scene import SceneInfo
from stages.ingest.region import Region

CALENDAR_YEAR = "01-01"
AUSTRAL_YEAR = "07-01"
"""First day, MM-DD, of a year south of the equator: in the middle of its winter. The year is named by its end, as
hydrological years are (Cogley et al. 2011, Glossary of glacier mass balance)."""


def year_start(params: Params, region: Region) -> str:
    """Return the first day, MM-DD, of a year of the series.

    Raises
    ------
    ParamsError
        A year would begin within ``ingest.season``.
    """
    starts = params.ingest.year_starts
    if starts == "by_latitude":
        _, south, _, north = region.aoi.to_crs("EPSG:4326").total_bounds
        starts = AUSTRAL_YEAR if south + north < 0 else CALENDAR_YEAR
    season = params.ingest.season
    if season and season_dates(2001, season, starts)[0] > season_dates(2001, season, starts)[1]:
        raise ParamsError(
            "a year of the series begins within the season",
            where="params.yaml: ingest",
            expected="a season that lies within one year of the series",
            found=f"season {season.first} to {season.last}, and years that start on {starts}",
            fix="set ingest.year_starts to a day after the season, MM-DD in quotes, or correct ingest.season",
        )
    return starts


def year_of(day: dt.date, starts: str) -> int:
    """Return the year of the series that a day belongs to: the one in which its season ends."""
    return day.year + (starts != CALENDAR_YEAR and f"{day:%m-%d}" >= starts)


def season_dates(year: int, season: SeasonParams | None, starts: str) -> tuple[dt.date, dt.date]:
    """Return first and last day of a year's season; without a season, of the whole year of the series."""
    if season:
        return _date(year, season.first, starts), _date(year, season.last, starts)
    first = _date(year, starts, starts)
    return first, _date(year + 1, starts, starts) - dt.timedelta(days=1)


def in_year(info: SceneInfo, starts: str) -> SceneInfo:
    """Return the metadata of a scene with the year of the series of its day; as they are where it is not known."""
    return info if info.day is None else replace(info, year=year_of(info.day, starts))


def _date(year: int, month_day: str, starts: str) -> dt.date:
    """Return the day MM-DD of a year of the series; the last of February where there is no 29th."""
    month, day = int(month_day[:2]), int(month_day[3:])
    calendar_year = year - (starts != CALENDAR_YEAR and month_day >= starts)
    return dt.date(calendar_year, month, min(day, calendar.monthrange(calendar_year, month)[1]))
