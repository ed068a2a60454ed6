"""What a region costs follows from measured rates."""

from __future__ import annotations

import pytest

from region.cost import Rates, cost_of
from region.plan import Cell
from sandbox import twin_site
from stages.common.params.schema import Params


def test_cost_of_two_cells() -> None:
    """Three years of one date, six bands and the classes of the scene: 14 bytes a pixel."""
    cells = [
        Cell(name=name, crs="EPSG:32644", bounds=(0, 0, 1, 1), glaciers=("g",), outlines_km2=1.0, pixels=2_000_000)
        for name in "ab"
    ]
    rates = Rates(cell_s=60, scene_mpx_s=10, scene_mpx_bytes=1e6, measured="here")
    cost = cost_of(cells, Params.model_validate(twin_site.params([2016, 2017, 2018])), rates)
    assert (cost.scenes, cost.mpx, cost.bytes_read, cost.bytes_written) == (6, 12, 12e6 * 14, 12e6)
    assert cost.core_hours == pytest.approx((2 * 60 + 12 * 10) / 3600)
    assert cost.wall_hours(4) == pytest.approx(cost.core_hours / 4)
