"""Change maps as the stage writes them: what was lost and gained since the first year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.common.geo.raster import read_band
from stages.common.run.records import read_document
from stages.common.tables.area import AreaSeries, ChangeRow
from stages.common.tables.kinds import MASK_NODATA
from tests.area.area_inputs import GRID, PIXEL_KM2, run_area
from tests.area.tongue import (
    OUT,
    hidden,
    site,
)


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def changes() -> list[ChangeRow]:
    """With all their digits."""
    return read_document(OUT / "series.json", AreaSeries).changes


def test_the_change_map_holds_what_was_lost_and_gained_since_the_first_year() -> None:
    site({2016: 120, 2017: 118, 2018: 121})
    assert run_area() == 0
    assert not (OUT / "change_2016.tif").exists()
    expected = np.zeros(GRID.shape, dtype=np.uint8)
    expected[20:118, 60:90] = 1
    expected[118:120, 60:90] = 2
    assert (read_band(OUT / "change_2017.tif") == expected).all()
    expected[118:120] = np.where(expected[118:120], 1, 0)
    expected[120, 60:90] = 3
    assert (read_band(OUT / "change_2018.tif") == expected).all()
    second, third = ([row for row in changes() if row.year == year] for year in (2017, 2018))
    assert [(row.rgi_id, row.from_year) for row in second] == [("RGI60-15.00001", 2016), ("unassigned", 2016)]
    assert (second[0].lost_km2, second[0].gained_km2) == pytest.approx((60 * PIXEL_KM2, 0), rel=1e-3)
    assert (third[0].lost_km2, third[0].gained_km2) == pytest.approx((0, 30 * PIXEL_KM2), rel=1e-3)
    assert second[0].unchanged_km2 + second[0].lost_km2 == pytest.approx(third[0].unchanged_km2, abs=1e-4)


def test_cloud_is_never_loss_in_the_change_map() -> None:
    site({2016: 120, 2017: 120}, observed={2017: hidden(slice(100, 115))})
    assert run_area() == 0
    change = read_band(OUT / "change_2017.tif")
    assert (change[100:115] == MASK_NODATA).all()
    assert set(np.unique(change)) == {0, 1, MASK_NODATA}
    row = changes()[0]
    assert (row.lost_km2, row.gained_km2) == (0, 0)
    assert row.unseen_km2 == pytest.approx(15 * 30 * PIXEL_KM2, rel=1e-3)


def test_a_year_left_out_has_no_change_map_and_is_not_the_first() -> None:
    site({2016: 120, 2017: 119, 2018: 118}, observed={2016: hidden(slice(0, 80))})
    assert run_area() == 0
    assert [path.name for path in sorted(OUT.glob("change_*.tif"))] == ["change_2018.tif"]
    assert {(row.from_year, row.year) for row in changes()} == {(2017, 2018)}


def test_lost_less_gained_is_the_change_of_area_where_all_was_seen() -> None:
    site({2016: 120, 2017: 111})
    assert run_area() == 0
    lost = sum(row.lost_km2 - row.gained_km2 for row in changes())
    assert lost == pytest.approx(9 * 30 * PIXEL_KM2, rel=1e-3)
