"""What a person decided on the maps: a rejected year is left out, drawn outlines and rejected pieces change a map."""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely.geometry import box

from sandbox import tiny
from stages.area.map.outlines import LAYER
from stages.common.geo.vectors import write_polygons
from stages.common.tables.area import GlacierAreaRow
from stages.common.tables.change import ChangeAreaRow
from stages.common.tables.review import ReviewRow
from tests.area.area_inputs import GRID, PIXEL_KM2, run_area, write_inputs
from tests.area.area_outputs import OUT, areas, gates, ice_of, rows, trend

YEARS = (2020, 2021, 2022)
LARGE = "RGI60-15.00001"
WHO = "by: A. Person, at: '2026-11-28T23:00:00Z'"


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def decide(text: str) -> None:
    Path("data/auxiliary/review.yaml").write_text(text, encoding="utf-8")


def version(year: int) -> str:
    return hashlib.sha256((OUT / f"outlines_{year}.gpkg").read_bytes()).hexdigest()


def area_of(year: int, rgi_id: str) -> float:
    table = rows("area_by_glacier.csv", GlacierAreaRow)
    return next(row.area_km2 for row in table if (row.year, row.rgi_id) == (year, rgi_id))


def test_a_rejected_year_is_left_out_as_a_cloudy_one_is_and_the_series_says_so() -> None:
    """The map of 2021 is all ice, as after a snowfall: nothing rests on it once a person has rejected it."""
    write_inputs(Path(), {2020: ice_of(), 2021: np.ones(GRID.shape, np.uint8), 2022: ice_of()})
    assert run_area() == 0
    assert not gates()["annual_change"]["passed"]
    assert not (OUT / "review.csv").exists()
    maps, others = version(2021), [version(2020), version(2022)]
    decide(f"years: [{{year: 2021, decision: reject, {WHO}, maps: {maps}, comment: snow}}]")
    assert run_area() == 0
    assert [row.common_area_km2 is None for row in areas()] == [False, True, False]
    assert trend().excluded_years == [2021]
    assert "2021: left out, as a person who looked at the map rejected it" in trend().statement
    assert "too little" not in trend().statement
    assert all(finding["passed"] for finding in gates().values()), gates()
    change = {row.year: row for row in rows("change_area_by_year.csv", ChangeAreaRow)}
    assert (change[2021].used, change[2021].reason) == (False, "a person rejected the map")
    (row,) = rows("review.csv", ReviewRow)
    assert (row.year, row.what, row.decision, row.by, row.comment) == (2021, "year", "reject", "A. Person", "snow")
    assert (row.same_maps, row.method) == (True, "automatic")
    assert version(2021) == maps
    assert [version(2020), version(2022)] == others  # what was accepted is not another version now


def test_a_decision_changes_no_map_and_an_old_one_says_that_it_is_of_other_maps() -> None:
    write_inputs(Path(), {year: ice_of() for year in YEARS})
    assert run_area() == 0
    maps = {year: version(year) for year in YEARS}
    decide(
        f"years: [{{year: 2020, decision: accept, {WHO}, maps: {maps[2020]}}}, "
        f"{{year: 2021, decision: accept, {WHO}, maps: {'a' * 64}}}]"
    )
    assert run_area() == 0
    assert {year: version(year) for year in YEARS} == maps
    assert [row.same_maps for row in rows("review.csv", ReviewRow)] == [True, False]
    assert trend().excluded_years == []


def test_a_drawn_outline_replaces_that_glacier_in_that_year_alone() -> None:
    write_inputs(Path(), {year: ice_of() for year in YEARS})
    assert run_area() == 0
    before, maps = {year: area_of(year, LARGE) for year in YEARS}, {year: version(year) for year in YEARS}
    left, bottom, right, top = tiny.outlines()[0].bounds
    drawn = box(left, bottom, (left + right) / 2, top)
    frame = geopandas.GeoDataFrame(
        {"rgi_id": [LARGE], "year": [2021], "by": ["A. Person"], "at": ["2026-11-28T23:00:00Z"]},
        geometry=[drawn], crs=GRID.crs,
    ).to_crs("EPSG:4326")  # fmt: skip
    write_polygons(Path("data/auxiliary/review.gpkg"), frame, layer="corrections")
    assert run_area() == 0
    after = {year: area_of(year, LARGE) for year in YEARS}
    assert after[2021] == pytest.approx(drawn.area / 1e6, rel=0.03)
    assert [after[year] == before[year] for year in YEARS] == [True, False, True]
    assert [version(year) == maps[year] for year in YEARS] == [True, False, True]
    mapped = geopandas.read_file(OUT / "outlines_2021.gpkg", layer=LAYER).set_index("rgi_id")
    assert mapped.geometry[LARGE].area == pytest.approx(after[2021] * 1e6, rel=0.01)
    (row,) = rows("review.csv", ReviewRow)
    assert (row.year, row.what, row.rgi_id, row.decision) == (2021, "outline", LARGE, "correct")
    assert (row.by, row.method) == ("A. Person", "automatic with manual editing")


def test_a_rejected_piece_is_taken_away_and_nothing_else() -> None:
    patch = ice_of()
    rows_px, columns_px = slice(2, 6), slice(2, 6)
    assert not patch[:12, :12].any()
    patch[rows_px, columns_px] = 1
    write_inputs(Path(), {2020: patch}, area={"min_polygon_area_m2": 900})
    assert run_area() == 0
    with_patch = areas()[0].glacier_area_km2
    x, y = GRID.transform @ (4, 4)
    place = geopandas.GeoSeries.from_xy([x], [y], crs=GRID.crs).to_crs("EPSG:4326")[0]
    decide(
        f"notes: [{{year: 2020, rgi_id: unassigned, longitude: {place.x}, latitude: {place.y}, decision: reject, "
        f"{WHO}, maps: {version(2020)}}}]"
    )
    assert run_area() == 0
    assert with_patch - areas()[0].glacier_area_km2 == pytest.approx(16 * PIXEL_KM2, rel=1e-2)
    (row,) = rows("review.csv", ReviewRow)
    assert (row.what, row.same_maps, row.method) == ("piece", False, "automatic with manual editing")
