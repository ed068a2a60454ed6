"""The retreat that is planted in a twin comes back from its true maps, with the interval that is stated."""

from __future__ import annotations

from bench.front import GRID, PIXEL_M, measure_retreats
from stages.common.params.ingest import TwinParams
from stages.ingest.sources.twin.landscape import make_landscape


def test_the_planted_retreat_of_a_twins_large_glaciers_lies_in_the_stated_interval() -> None:
    retreats = measure_retreats(make_landscape(1, GRID.shape, PIXEL_M), TwinParams(seed=1, retreat_m_per_year=20))
    assert retreats[0].planted_m_per_year == 20
    assert abs((retreats[0].trend.rate_m_per_year or 0) - 20) < 5
    large = [glacier for glacier in retreats if glacier.planted_m_per_year > 10]
    assert len(large) > 1
    assert all(glacier.inside for glacier in large)
    assert all(glacier.trend.detectable for glacier in large)
