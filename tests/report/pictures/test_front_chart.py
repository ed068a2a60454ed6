"""Chart of the fronts: its axis."""

from __future__ import annotations

from stages.common.tables.area import FrontRow
from stages.report.pictures import front_chart


def test_only_the_largest_fronts_are_drawn_and_a_still_front_looks_still():
    low, high = front_chart.axis_limits_m([FrontRow(year=2020, rgi_id="a", flow_line="given", position_m=1,
                                                 position_sigma_m=12, retreat_m=5)])  # fmt: skip
    assert high - low == front_chart.SPAN_MIN_M
    assert low < 0
    assert high > 5
