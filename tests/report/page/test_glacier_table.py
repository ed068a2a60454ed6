"""Area of each glacier: the largest, the rest, and gaps."""

from __future__ import annotations

import pytest

from stages.common.tables.area import GlacierAreaRow
from stages.report.page.glacier_table import NAMED_GLACIERS, glacier_table
from tests.report import report_inputs


def test_glacier_table_takes_the_largest_and_sums_the_rest():
    rows = report_inputs.glacier_rows((2020, 2021))
    lines = glacier_table(rows, [2020, 2021])
    assert [line.rgi_id for line in lines[:2]] == ["RGI60-15.00001", "RGI60-15.00002"]
    assert [line.rgi_id for line in lines[NAMED_GLACIERS:]] == ["5 smaller glaciers", "near no outline"]
    total = sum(line.areas[1].area.exact for line in lines)
    assert total == pytest.approx(sum(row.area_km2 for row in rows if row.year == 2021))


def test_a_glaciers_half_interval_is_not_cut_at_no_ice():
    row = GlacierAreaRow(
        year=2021, rgi_id="a", area_km2=0.05, area_low_km2=0, area_high_km2=0.25, outline_area_km2=2, unseen_km2=0
    )
    (line,) = glacier_table([row], [2021])
    assert line.areas[0].upper_half.text == "0.20"


def test_glacier_table_has_a_gap_where_a_year_has_no_row():
    row = GlacierAreaRow(year=2021, rgi_id="a", area_km2=1, outline_area_km2=2, unseen_km2=0.5)
    (line,) = glacier_table([row], [2020, 2021])
    assert line.areas[0] is None
    assert line.areas[1].unseen.text == "0.50"
