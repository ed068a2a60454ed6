"""Rounding, year ticks, scale bars."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.display import rounding
from stages.common.tables.area import AreaRow


def test_area_is_rounded_as_its_interval_supports():
    row = AreaRow(
        year=2020, glacier_area_km2=142.3456, area_low_km2=140.9, area_high_km2=143.8, valid_fraction=1,
        unseen_km2=0.04, scene_ids="a", model_md5="b",
    )  # fmt: skip
    assert rounding.area_text(row, rounding.decimals_of([row])) == "142.3 ± 1.5 km²"
    assert rounding.unseen_text(row, 1) == ""
    assert rounding.unseen_text(row, 2).startswith("0.04 km²")


def test_half_an_interval_that_stops_at_no_ice_is_its_upper_half():
    row = AreaRow(
        year=2020, glacier_area_km2=0.05, area_low_km2=0, area_high_km2=0.25, valid_fraction=1, unseen_km2=0,
        scene_ids="a", model_md5="b",
    )  # fmt: skip
    assert rounding.sigma_km2(row) == pytest.approx(0.2)
    assert rounding.area_text(row, 2) == "0.05 ± 0.20 km²"


@given(st.integers(1972, 2090), st.integers(0, 60))
def test_ticks_are_whole_years_of_the_series_and_few(first, length):
    ticks = rounding.year_ticks([first, first + length] if length else [first])
    assert all(isinstance(tick, int) for tick in ticks)
    assert ticks[0] == first
    assert ticks[-1] <= first + length
    assert len(ticks) <= rounding.MAX_YEAR_LABELS
    assert len({later - earlier for earlier, later in itertools.pairwise(ticks)}) <= 1
