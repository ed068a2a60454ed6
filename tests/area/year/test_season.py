"""Passes of a year against its map: known areas, their spread, and what they are over."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from stages.area.year.season import sample_std
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.tables.area import AreaRow, SeasonRow
from stages.common.tables.prepare import Pass, Passes
from tests.area.area_inputs import GRID, PIXEL_KM2, run_area, write_inputs

OUT = Path("artifacts/area")
UNSEEN = 255


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def block(rows: slice, columns: slice = slice(20, 120)) -> np.ndarray:
    mask = np.zeros(GRID.shape, dtype=np.uint8)
    mask[rows, columns] = 1
    return mask


def write_passes(year: int, masks: list[np.ndarray]) -> None:
    passes = [
        Pass(number=number, date=f"{year}-10-{number:02d}", relative_orbit=19, scene_ids=["s"], valid_fraction=1)
        for number in range(1, len(masks) + 1)
    ]
    write_json(Path(f"artifacts/prepare/{year}/passes.json"), Passes(year=year, passes=passes))
    write_cog(Path(f"artifacts/predict/{year}/passes.tif"), np.array(masks), GRID, nodata=UNSEEN)


def read(name: str, model: type) -> list:
    with (OUT / name).open(encoding="utf-8", newline="") as stream:
        return [model.model_validate({k: v for k, v in row.items() if v != ""}) for row in csv.DictReader(stream)]


def test_passes_stand_beside_the_consensus_with_what_they_add_and_miss() -> None:
    """Consensus of 100 x 60 px; a pass with snow over 10 rows more, one that misses 2, one the same."""
    whole = block(slice(40, 100))
    write_inputs(Path(), {2020: whole, 2021: whole})
    write_passes(2020, [whole, block(slice(30, 100)), block(slice(40, 98))])
    assert run_area() == 0
    same, snowy, short = read("seasons.csv", SeasonRow)
    row_km2 = 100 * PIXEL_KM2
    assert [row.pass_number for row in (same, snowy, short)] == [1, 2, 3]
    assert (same.date, same.shared_fraction, same.difference_km2) == ("2020-10-01", 1, 0)
    assert snowy.area_km2 == pytest.approx(70 * row_km2, rel=1e-3)
    assert (snowy.added_km2, snowy.missing_km2) == (pytest.approx(10 * row_km2, rel=1e-3), 0)
    assert (short.added_km2, short.missing_km2) == (0, pytest.approx(2 * row_km2, rel=1e-3))
    assert short.difference_km2 == pytest.approx(-2 * row_km2, rel=1e-3)
    assert [row.consensus_km2 for row in (same, snowy, short)] == pytest.approx([60 * row_km2] * 3, rel=1e-3)
    several, single = read("glacier_area_by_year.csv", AreaRow)
    assert several.sigma_season_km2 == pytest.approx(np.std([60, 70, 58], ddof=1) * row_km2, abs=0.006)
    assert single.sigma_season_km2 is None


def test_a_cloud_over_one_pass_is_no_difference_between_them() -> None:
    """Half of the ice is hidden in one pass: over the rest they agree, and the spread is for the whole ice."""
    whole, short = block(slice(40, 100)), block(slice(50, 100))
    clouded = whole.copy()
    clouded[70:] = UNSEEN
    write_inputs(Path(), {2020: whole})
    write_passes(2020, [whole, clouded, short])
    assert run_area() == 0
    rows = read("seasons.csv", SeasonRow)
    row_km2 = 100 * PIXEL_KM2
    assert [row.area_km2 for row in rows] == pytest.approx([30 * row_km2, 30 * row_km2, 20 * row_km2], rel=1e-3)
    assert rows[0].shared_fraction == pytest.approx(70 / 160)
    (year,) = read("glacier_area_by_year.csv", AreaRow)
    assert year.sigma_season_km2 == pytest.approx(2 * np.std([30, 30, 20], ddof=1) * row_km2, abs=0.006)


def test_little_that_all_have_seen_does_not_stand_for_the_whole() -> None:
    whole = block(slice(40, 100))
    clouded = whole.copy()
    clouded[50:] = UNSEEN
    write_inputs(Path(), {2020: whole})
    write_passes(2020, [whole, clouded])
    assert run_area() == 0
    assert len(read("seasons.csv", SeasonRow)) == 2
    assert read("glacier_area_by_year.csv", AreaRow)[0].sigma_season_km2 is None


def test_speckle_of_a_pass_is_removed_as_in_the_map() -> None:
    whole = block(slice(40, 100))
    dirty = whole.copy()
    dirty[10:12, 10:12] = 1
    write_inputs(Path(), {2020: whole})
    write_passes(2020, [whole, dirty])
    assert run_area() == 0
    assert [row.difference_km2 for row in read("seasons.csv", SeasonRow)] == [0, 0]


def test_without_a_pixel_that_all_have_seen_nothing_is_compared() -> None:
    whole = block(slice(40, 100))
    upper, lower = whole.copy(), whole.copy()
    upper[80:], lower[:80] = UNSEEN, UNSEEN
    write_inputs(Path(), {2020: whole})
    write_passes(2020, [upper, lower])
    assert run_area() == 0
    assert not (OUT / "seasons.csv").exists()
    assert read("glacier_area_by_year.csv", AreaRow)[0].sigma_season_km2 is None


def test_one_pass_a_year_writes_no_seasons() -> None:
    write_inputs(Path(), {2020: block(slice(40, 100))})
    assert run_area() == 0
    assert not (OUT / "seasons.csv").exists()


def test_the_spread_is_the_sample_standard_deviation() -> None:
    assert sample_std([10.0, 12.0]) == pytest.approx(2**0.5)
    assert sample_std([3.0, 3.0, 3.0]) == 0
