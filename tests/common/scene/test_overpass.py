"""Acquisitions of one overpass."""

from __future__ import annotations

import datetime as dt

import pytest

from stages.common.scene.overpass import overpasses
from stages.common.scene.scene import SceneInfo

FIRST, SECOND = dt.date(2020, 10, 15), dt.date(2020, 10, 16)


def info(acquired: str | None, orbit: int | None = 5) -> SceneInfo:
    instant = None if acquired is None else dt.datetime.fromisoformat(acquired).replace(tzinfo=dt.UTC)
    return SceneInfo(id=str(acquired), year=2020, acquired=instant, product="a", relative_orbit=orbit)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        pytest.param(info("2020-10-15T23:58:00"), info("2020-10-16T00:03:00"), True, id="across midnight"),
        pytest.param(info("2020-10-15T23:58:00"), info("2020-10-16T00:58:00"), True, id="an hour later"),
        pytest.param(info("2020-10-15T23:58:00"), info("2020-10-16T00:59:00"), False, id="an hour and a minute later"),
        pytest.param(info("2020-10-15T23:58:00"), info("2020-10-16T00:03:00", 6), False, id="another orbit"),
        pytest.param(info("2020-10-15T23:58:00", None), info("2020-10-16T00:03:00", None), False, id="orbit not known"),
        pytest.param(info("2020-10-15T10:00:00"), info("2020-10-15T13:00:00"), True, id="one day"),
        pytest.param(info("2020-10-15T10:00:00"), info("2020-10-20T10:00:00"), False, id="the next repeat"),
    ],
)
def test_pairs(first: SceneInfo, second: SceneInfo, together: bool) -> None:
    one, two = overpasses([first, second])
    assert (one == two) == together
    assert overpasses([second, first]) == [two, one]


def test_a_whole_datatake_has_the_day_it_began() -> None:
    minutes = ("15T23:58", "15T23:59", "16T00:00", "16T00:02")
    tiles = [info(f"2020-10-{minute}:00") for minute in minutes]
    assert overpasses(tiles) == [(FIRST, 5)] * 4


def test_days_without_a_time_are_as_they_are() -> None:
    days = [SceneInfo(id=str(day), year=2020, acquired=day, product="a", relative_orbit=5) for day in (FIRST, SECOND)]
    assert overpasses([*days, info(None)]) == [(FIRST, 5), (SECOND, 5), (None, 5)]
