"""What a person decided on the maps: a rejected year is left out, drawn outlines and rejected pieces change a map."""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely.geometry import Polygon, box

from sandbox import tiny
from stages.area.map.outlines import LAYER
from stages.common.geo.vectors import write_polygons
from stages.common.tables.area import ChangeRow, GlacierAreaRow, GlacierTrendRow
from stages.common.tables.change import ChangeAreaRow
from stages.common.tables.labels import UNASSIGNED
from stages.common.tables.review import ReviewRow
from tests.area.area_inputs import GRID, PIXEL_KM2, burn, run_area, write_inputs
from tests.area.area_outputs import OUT, areas, gates, ice_of, rows, trend

YEARS = (2020, 2021, 2022)
LARGE = "RGI60-15.00001"
WHO = "by: A. Person, at: '2026-11-28T23:00:00Z'"


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def decide(text: str) -> None:
    Path("data/auxiliary/review.yaml").write_text(text, encoding="utf-8")


def draw(year: int, rgi_id: str, shape: Polygon) -> None:
    frame = geopandas.GeoDataFrame(
        {"rgi_id": [rgi_id], "year": [year], "by": ["A. Person"], "at": ["2026-11-28T23:00:00Z"]},
        geometry=[shape], crs=GRID.crs,
    ).to_crs("EPSG:4326")  # fmt: skip
    write_polygons(Path("data/auxiliary/review.gpkg"), frame, layer="corrections")


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


SMALL = "RGI60-15.00002"
SIX = (2018, 2019, 2020, 2021, 2022, 2023)


def snow_on_the_small_glacier() -> dict[int, np.ndarray]:
    """Six years of the same ice; in 2021 snow doubles the small glacier."""
    small = tiny.ellipse(center=(3500, 3500), radii=(700, 600))
    snow = (burn([*tiny.outlines()[:1], small]) > 0).astype(np.uint8)
    return {year: snow if year == 2021 else ice_of() for year in SIX}


def reject(year: int, rgi_id: str) -> None:
    decide(f"notes: [{{year: {year}, rgi_id: {rgi_id}, decision: reject, {WHO}, maps: {version(year)}}}]")


def test_a_rejected_glacier_counts_as_not_seen_in_that_year_and_the_others_go_on() -> None:
    write_inputs(Path(), snow_on_the_small_glacier(), area={"common_valid_fraction_min": 0.5})
    assert run_area() == 0
    assert not gates()["outside_outlines"]["passed"]
    maps, outline = {year: version(year) for year in SIX}, area_of(2020, SMALL)
    large = area_of(2020, LARGE)
    reject(2021, SMALL)
    assert run_area() == 0
    assert {year: version(year) for year in SIX} == maps  # what was looked at is still there
    rejected, before = areas()[3], areas()[2]
    assert (rejected.glacier_area_km2, rejected.valid_fraction) == (pytest.approx(large, rel=1e-3), 1.0)
    assert rejected.unseen_km2 == pytest.approx(outline, rel=1e-3)
    assert before.glacier_area_km2 == pytest.approx(large + outline, rel=1e-3)
    assert {row.common_area_km2 for row in areas()} == {before.common_area_km2}  # the same ice on the same ground
    assert before.common_area_km2 == pytest.approx(large, rel=1e-3)
    table = {(row.year, row.rgi_id): row for row in rows("area_by_glacier.csv", GlacierAreaRow)}
    assert (table[2021, SMALL].area_km2, table[2021, SMALL].common_area_km2) == (0, None)
    assert table[2020, SMALL].common_area_km2 == table[2020, SMALL].area_km2
    trends = {row.rgi_id: row for row in rows("trend_by_glacier.csv", GlacierTrendRow)}
    assert (trends[SMALL].n_years, trends[LARGE].n_years) == (5, 6)
    assert (trends[SMALL].slope_km2_per_year, trend().slope_km2_per_year) == (0, 0)
    assert "2021: a person rejected the outline of 1 glacier, left out in every year" in trend().statement
    changes = {(row.year, row.rgi_id): row for row in rows("change_by_glacier.csv", ChangeRow)}
    assert (changes[2021, SMALL].gained_km2, changes[2023, SMALL].gained_km2) == (0, 0)
    assert changes[2021, SMALL].unseen_km2 > 0
    assert all(finding["passed"] for finding in gates().values()), gates()
    (row,) = rows("review.csv", ReviewRow)
    assert (row.what, row.rgi_id, row.decision, row.same_maps) == ("glacier", SMALL, "reject", True)
    assert row.method == "automatic"


def test_a_year_in_which_most_of_the_ice_is_rejected_is_left_out() -> None:
    write_inputs(Path(), snow_on_the_small_glacier())
    assert run_area() == 0
    reject(2021, LARGE)
    assert run_area() == 0
    assert trend().excluded_years == [2021]
    assert "2021: left out, as a person who looked at the map rejected it" in trend().statement
    assert areas()[2].common_area_km2 == pytest.approx(areas()[2].glacier_area_km2, rel=1e-3)


def test_an_outline_drawn_since_answers_the_rejection() -> None:
    write_inputs(Path(), snow_on_the_small_glacier(), area={"common_valid_fraction_min": 0.5})
    assert run_area() == 0
    reject(2021, SMALL)
    draw(2021, SMALL, tiny.outlines()[1])
    assert run_area() == 0
    assert area_of(2021, SMALL) == pytest.approx(area_of(2020, SMALL), rel=1e-2)
    assert areas()[3].unseen_km2 == 0


def test_ice_near_no_outline_can_be_rejected_as_a_whole() -> None:
    patch = ice_of()
    patch[2:6, 2:6] = 1
    write_inputs(Path(), {2020: patch}, area={"min_polygon_area_m2": 900})
    assert run_area() == 0
    with_patch = areas()[0].glacier_area_km2
    reject(2020, UNASSIGNED)
    assert run_area() == 0
    assert with_patch - areas()[0].glacier_area_km2 == pytest.approx(16 * PIXEL_KM2, rel=1e-2)
    (row,) = rows("review.csv", ReviewRow)
    assert row.method == "automatic with manual editing"


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
    draw(2021, LARGE, drawn)
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
