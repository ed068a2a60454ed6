"""Change and passes carry the digits of the areas that they are changes and passes of; series.json has all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.area.tables.precision import mean
from stages.common.display.numbers import decimals_for
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.run.records import read_document, read_rows
from stages.common.tables.area import AreaSeries, ChangeRow, GlacierAreaRow, SeasonRow
from stages.common.tables.prepare import Pass, Passes
from tests.area.area_inputs import GRID, run_area, write_inputs

OUT = Path("artifacts/area")
CHANGED = ("lost_km2", "gained_km2", "unchanged_km2", "unseen_km2")
COMPARED = ("area_km2", "consensus_km2", "difference_km2", "added_km2", "missing_km2")


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def block(rows: slice) -> np.ndarray:
    mask = np.zeros(GRID.shape, dtype=np.uint8)
    mask[rows, 20:120] = 1
    return mask


def whole() -> AreaSeries:
    return read_document(OUT / "series.json", AreaSeries)


def decimals_of(rgi_id: str) -> int:
    """Those of the glacier's mean sigma."""
    return decimals_for(mean(row.sigma_delineation_km2 or 0 for row in whole().glaciers if row.rgi_id == rgi_id))


def test_change_has_the_digits_of_the_glaciers_area() -> None:
    write_inputs(Path(), {2016: block(slice(40, 107)), 2017: block(slice(43, 100))})
    assert run_area() == 0
    areas = {(row.rgi_id, row.year): row for row in read_rows(OUT / "area_by_glacier.csv", GlacierAreaRow)}
    rows = read_rows(OUT / "change_by_glacier.csv", ChangeRow)
    assert [row.rgi_id for row in rows] == [row.rgi_id for row in whole().changes]
    for row, exact in zip(rows, whole().changes, strict=True):
        decimals = decimals_of(row.rgi_id)
        for name in CHANGED:
            assert getattr(row, name) == round(getattr(exact, name), decimals), (row.rgi_id, name)
        change_km2 = areas[row.rgi_id, 2017].area_km2 - areas[row.rgi_id, 2016].area_km2
        assert row.gained_km2 - row.lost_km2 == pytest.approx(change_km2, abs=2.01 * 10**-decimals)
    assert any(row.lost_km2 != exact.lost_km2 for row, exact in zip(rows, whole().changes, strict=True))


def test_passes_have_the_digits_of_the_years_area() -> None:
    masks = [block(slice(40, 100)), block(slice(33, 100)), block(slice(40, 97))]
    write_inputs(Path(), {2020: masks[0]})
    passes = [
        Pass(number=number, date=f"2020-10-0{number}", relative_orbit=19, scene_ids=["s"], valid_fraction=1)
        for number in (1, 2, 3)
    ]
    write_json(Path("artifacts/prepare/2020/passes.json"), Passes(year=2020, passes=passes))
    write_cog(Path("artifacts/predict/2020/passes.tif"), np.array(masks), GRID, nodata=255)
    assert run_area() == 0
    (year,) = whole().years
    assert 0.1 < year.sigma_delineation_km2 < 1, "two digits of it are two decimals"
    for row, exact in zip(read_rows(OUT / "seasons.csv", SeasonRow), whole().seasons, strict=True):
        for name in COMPARED:
            assert getattr(row, name) == round(getattr(exact, name), 2), name
        assert row.consensus_km2 + row.difference_km2 == pytest.approx(row.area_km2, abs=0.0101)
    assert whole().seasons[1].added_km2 != round(whole().seasons[1].added_km2, 2)
