"""The retreat that is planted in a twin comes back from its true maps, with the interval that is stated."""

from __future__ import annotations

from bench.front import GRID, PIXEL_M, measure
from stages.common.params.ingest import TwinParams
from stages.ingest.sources.twin.landscape import make_landscape


def test_the_planted_retreat_of_a_twins_large_glaciers_lies_in_the_stated_interval() -> None:
    found = measure(make_landscape(1, GRID.shape, PIXEL_M), TwinParams(seed=1, retreat_m_per_year=20))
    assert found[0].planted_m_per_year == 20
    assert abs((found[0].trend.rate_m_per_year or 0) - 20) < 5
    large = [one for one in found if one.planted_m_per_year > 10]
    assert len(large) > 1
    assert all(one.inside for one in large)
    assert all(one.trend.detectable for one in large)
