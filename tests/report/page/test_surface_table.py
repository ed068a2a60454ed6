"""Why clean and debris-covered ice could not be distinguished."""

from __future__ import annotations

from stages.common.tables.area import AreaRow
from stages.report.page import surface_table
from tests.report import statistics_inputs
from tests.report.pictures.test_graph_data import row


def surface_row(method: str | None) -> AreaRow:
    return row(2020, 5).model_copy(update={"surface_method": method})


def test_why_surfaces_cannot_be_distinguished_is_said_once():
    rows = [surface_row("not available: no SWIR band"), surface_row("not available: no SWIR band")]
    assert surface_table.why_no_surface(rows) == "Clean and debris-covered ice were not distinguished: no SWIR band."
    assert surface_table.why_no_surface([statistics_inputs.with_intervals(row(2020, 5))]) is None
