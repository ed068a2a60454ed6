"""What names of files say."""

from __future__ import annotations

import datetime as dt

import pytest

from setup.names import baseline_in, day_in, level_in, year_in


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("LE71400412000304SGS00_RGB", dt.date(2000, 10, 30)),
        ("LC08_L1TP_140041_20200930_20201006_02_T1", dt.date(2020, 9, 30)),
        ("S2A_MSIL2A_20201006T052641_N0500_R105_T44RLV_20231010T101010", dt.date(2020, 10, 6)),
        ("HLS.S30.T45RVL.2020281T045701.v2.0", dt.date(2020, 10, 7)),
        ("glacier 2016-09-05", dt.date(2016, 9, 5)),
        ("glacier_20169905", None),
        ("s2_l2a_autumn_2024", None),
        ("T45RVL_1402020", None),
    ],
)
def test_the_day(name: str, day: dt.date | None) -> None:
    assert day_in(name) == day


def test_the_year_where_there_is_no_day() -> None:
    assert year_in("s2_l2a_autumn_2024") == 2024
    assert year_in("mosaic_2016_2024") is None
    assert year_in("scene12024") is None


def test_level_and_baseline() -> None:
    name = "S2A_MSIL2A_20201006T052641_N0500_R105_T44RLV_20231010T101010"
    assert (level_in(name), baseline_in(name)) == ("L2A", "05.00")
    assert level_in("LC08_L2SP_140041_20200930_20201006_02_T1") == "L2SP"
    assert (level_in("LE71400412000304SGS00_RGB"), baseline_in("a_N05_b")) == (None, None)
