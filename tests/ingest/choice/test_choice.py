"""Which scenes are taken, and what the table says of the others."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import tiny
from stages.common.params.ingest import ChoiceParams, SeasonParams
from stages.common.scene.scene import Layer
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.choice.choice import Choice, choose
from stages.ingest.choice.table import rows_of
from stages.ingest.sources.acquisition import Acquisition
from tests.ingest.candidates import GRID, SITE, candidate, scl


def chosen(
    candidates: Sequence[Acquisition], years: Sequence[int] = (2020,), season: SeasonParams | None = None, **how: Any
) -> tuple[list[str], dict[str, SceneChoiceRow], Choice]:
    choice = choose(candidates, SITE, years=years, season=season, params=ChoiceParams(**how))
    rows = rows_of(candidates, choice)
    return [acquisition.info.id for acquisition in choice.taken], {str(row.id or row.year): row for row in rows}, choice


def columns_of_the_large_glacier(share: float) -> slice:
    """Columns from the west that hold `share` of the outlines' pixels."""
    by_column = np.cumsum(SITE.glacier.sum(axis=0)) / SITE.glacier.sum()
    return slice(0, int(np.searchsorted(by_column, share)) + 1)


def test_the_clearest_date_is_taken_and_the_others_are_explained() -> None:
    cloudy = candidate("2020-10-01", scl(cloud_columns=slice(0, 160)))
    clear, hazy = candidate("2020-10-06"), candidate("2020-10-11", scl(cloud_columns=slice(0, 40)))
    taken, rows, _ = chosen([cloudy, clear, hazy])
    assert taken == ["S2_2020-10-06"]
    assert rows["S2_2020-10-06"].model_dump() | {"reason": ""} == {
        "year": 2020, "id": "S2_2020-10-06", "date": "2020-10-06", "tile": "44RLV", "relative_orbit": 5,
        "processing_baseline": "05.00", "product": "S2_2020-10-06", "aoi_coverage": 1.0, "cloud_over_glacier": 0.0,
        "unseen_glacier": 0.0, "off_glacier_snow": 0.0, "off_glacier_snow_km2": 0.0, "on_series_orbit": True,
        "score": 0.0, "rank": 1, "taken": True, "reason": "",
    }  # fmt: skip
    assert [rows[name].rank for name in ("S2_2020-10-11", "S2_2020-10-01")] == [2, 3]
    assert rows["S2_2020-10-01"].unseen_glacier == 1.0
    assert rows["S2_2020-10-01"].off_glacier_snow == 1.0  # nothing of the ground is visible: nothing speaks for it


def test_cloud_beside_the_glacier_does_not_count() -> None:
    beside = np.where(SITE.glacier, 5, 9).astype(np.uint8)
    above = np.where(SITE.glacier, 9, 5).astype(np.uint8)
    _, rows, _ = chosen([candidate("2020-10-01", beside), candidate("2020-10-06", above)])
    assert [rows[f"S2_2020-10-{day}"].cloud_over_glacier for day in ("01", "06")] == [0.0, 1.0]


def test_snow_on_the_ground_around_the_outlines_decides_between_clear_dates() -> None:
    snowy, bare = candidate("2020-10-01", snow_rows=160), candidate("2020-10-26", snow_rows=0)
    taken, rows, _ = chosen([snowy, bare])
    assert taken == ["S2_2020-10-26"]
    assert rows["S2_2020-10-01"].off_glacier_snow == 1.0
    assert rows["S2_2020-10-01"].off_glacier_snow_km2 == pytest.approx(SITE.area_km2[SITE.around].sum(), abs=1e-5)
    _, rows, _ = chosen([snowy, bare], off_glacier_snow_max=0.5)
    assert "more than off_glacier_snow_max" in rows["S2_2020-10-01"].reason


def test_a_second_date_fills_what_the_first_leaves_under_cloud() -> None:
    west = scl(cloud_columns=columns_of_the_large_glacier(0.2))
    east = scl(cloud_columns=slice(60, 160))
    useless = scl(cloud_columns=slice(0, 150))
    taken, rows, choice = chosen([candidate("2020-10-01", west), candidate("2020-10-06", east),
                                  candidate("2020-10-11", useless)])  # fmt: skip
    assert taken == ["S2_2020-10-01", "S2_2020-10-06"]
    assert rows["S2_2020-10-06"].reason.startswith("fills 2")
    assert choice.years[2020].selection.unseen == 0
    assert not rows["S2_2020-10-11"].taken


def test_a_little_cloud_is_left_alone() -> None:
    west = scl(cloud_columns=columns_of_the_large_glacier(0.02))
    taken, rows, _ = chosen([candidate("2020-10-01", west), candidate("2020-10-06", scl(cloud_columns=slice(60, 160)))])
    assert taken == ["S2_2020-10-01"]
    assert "better dates leave 2" in rows["S2_2020-10-06"].reason


def test_the_best_n_are_taken_where_asked_for() -> None:
    days = ["2020-10-01", "2020-10-06", "2020-10-11"]
    taken, _, _ = chosen([candidate(day, snow_rows=10 * i) for i, day in enumerate(days)], scenes_per_year=2)
    assert taken == ["S2_2020-10-01", "S2_2020-10-06"]


def test_tiles_of_one_day_are_one_candidate_and_a_tile_that_adds_nothing_is_left() -> None:
    west = candidate("2020-10-01", scl(no_data_columns=slice(80, 160)), id="west", tile="44RKV")
    east = candidate("2020-10-01", scl(no_data_columns=slice(0, 60)), id="east", tile="44RLV")
    inner = candidate("2020-10-01", scl(no_data_columns=slice(0, 100)), id="inner", tile="44RLU")
    taken, rows, _ = chosen([west, east, inner, candidate("2020-10-06", scl(no_data_columns=slice(80, 160)))])
    assert taken == ["east", "west"]
    assert rows["west"].aoi_coverage == 1.0
    assert rows["inner"].reason == "adds nothing to the other tiles of its day"


def test_the_highest_baseline_of_a_tile_and_day_wins() -> None:
    first = candidate("2020-10-01", id="first", processing_baseline="02.14")
    again = candidate("2020-10-01", id="again", processing_baseline="05.00")
    taken, rows, _ = chosen([first, again])
    assert taken == ["again"]
    assert rows["first"].reason == "the same tile and day exist at baseline 05.00"


def test_a_tile_cut_in_two_at_a_datastrip_is_put_together() -> None:
    halves = [
        candidate("2020-10-01", scl(no_data_columns=hidden), id=name)
        for name, hidden in (("north", slice(0, 80)), ("south", slice(80, 160)))
    ]
    assert chosen(halves)[0] == ["north", "south"]


def test_one_orbit_throughout_where_it_costs_little() -> None:
    years = (2020, 2021, 2022)
    scenes = [candidate(f"{year}-10-01", id=f"{year}-a", relative_orbit=5, snow_rows=26) for year in years]
    scenes += [candidate("2020-10-03", id="2020-b", relative_orbit=119)]  # a little better, in one year only
    taken, rows, choice = chosen(scenes, years)
    assert taken == ["2020-a", "2021-a", "2022-a"]
    assert choice.orbit == 5
    assert rows["2020-b"].on_series_orbit is False
    assert chosen(scenes, years, orbit_penalty=0.0)[0][0] == "2020-b"


def test_another_orbit_stands_in_where_the_usual_one_is_cloudy() -> None:
    overcast = candidate("2021-10-01", scl(cloud_columns=slice(0, 160)), id="2021-a", relative_orbit=5)
    scenes = [candidate("2020-10-01", relative_orbit=5), overcast, candidate("2021-10-03", relative_orbit=119)]
    assert chosen(scenes, (2020, 2021))[0] == ["S2_2020-10-01", "S2_2021-10-03"]


def test_a_year_without_candidate_is_missing_and_has_a_line() -> None:
    taken, rows, choice = chosen([candidate("2020-10-01")], (2020, 2021))
    assert taken == ["S2_2020-10-01"]
    assert choice.missing == {2021: "no candidate in the season"}
    assert (rows["2021"].id, rows["2021"].reason) == (None, "no candidate in the season")


def test_a_year_under_cloud_is_missing_and_nothing_of_it_is_taken() -> None:
    half = [candidate(f"2020-10-0{day}", scl(cloud_columns=slice(0, 90))) for day in (1, 6)]
    taken, rows, choice = chosen(half)
    assert list(choice.missing) == [2020]
    assert "stay unseen" in choice.missing[2020]
    assert not any(row.taken for row in rows.values())
    assert taken == ["S2_2020-10-01"]  # what would have been taken; `select` refuses the year


@pytest.mark.parametrize(
    ("day", "how", "reason"),
    [
        ("2020-09-19", {}, "outside the season, 09-20 to 11-10"),
        ("2020-11-11", {}, "outside the season, 09-20 to 11-10"),
        ("2019-10-01", {}, "2019 is not among years"),
        ("2020-10-01", {"leave_out": ["S2_2020-10-01"]}, "named in ingest.choice.leave_out"),
    ],
)
def test_what_cannot_be_taken_is_never_read(day: str, how: dict[str, Any], reason: str) -> None:
    _, rows, _ = chosen([candidate(day, gone="scl")], season=SeasonParams(first="09-20", last="11-10"), **how)
    assert rows[f"S2_{day}"].reason == reason


@pytest.mark.parametrize("gone", ["scl", "B11"])
def test_a_scene_whose_file_is_gone_gives_way_to_the_next(gone: str) -> None:
    taken, rows, _ = chosen([candidate("2020-10-01", gone=gone), candidate("2020-10-06", snow_rows=26)])
    assert taken == ["S2_2020-10-06"]
    assert rows["S2_2020-10-01"].reason == f"the file is gone: {gone}"


def test_only_the_clearest_dates_are_looked_at_for_snow() -> None:
    scenes = [candidate(f"2020-10-{day:02d}", scl(cloud_columns=slice(0, 10 * day))) for day in range(1, 9)]
    _, rows, _ = chosen(scenes, snow_looks=3)
    assert sorted(name for name, row in rows.items() if row.rank) == [f"S2_2020-10-0{day}" for day in (1, 2, 3)]
    assert rows["S2_2020-10-08"].reason.startswith("not among the 3 clearest dates")


def test_every_layer_of_a_candidate_is_read_once() -> None:
    scene = candidate("2020-10-01", snow_rows=80)
    reads: Counter[str] = Counter()

    def counted(name: str) -> Layer | None:
        reads[name] += 1
        return scene.layer(name) if scene.layer else None

    assert chosen([replace(scene, layer=counted)])[0] == ["S2_2020-10-01"]
    assert reads == {"scl": 1, "B03": 1, "B04": 1, "B11": 1}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 160), st.integers(0, 160)), min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_candidates_changes_nothing_and_the_best_score_is_taken(
    scenes: list[tuple[int, int]], random: Any
) -> None:
    scenes_of_year = [
        candidate(f"2020-10-{day:02d}", scl(cloud_columns=slice(0, cloud)), snow_rows=snow)
        for day, (cloud, snow) in enumerate(scenes, start=1)
    ]
    taken, rows, choice = chosen(scenes_of_year)
    shuffled = random.sample(scenes_of_year, len(scenes_of_year))
    assert chosen(shuffled)[:2] == (taken, rows)
    ranked = sorted((row for row in rows.values() if row.rank), key=lambda row: row.rank or 0)
    assert [row.score for row in ranked] == sorted(row.score or 0 for row in ranked)
    if taken:
        assert taken[0] == next(row.id for row in ranked if (row.unseen_glacier or 0) < 1)
    best_visible = 1 - min(row.unseen_glacier or 0 for row in ranked)
    assert 1 - choice.years[2020].selection.unseen <= best_visible + 1e-6 or len(taken) > 1


def test_the_made_up_site_is_what_the_tests_think() -> None:
    assert GRID.shape == (tiny.SIZE_PX, tiny.SIZE_PX)
    assert not (SITE.glacier & SITE.around).any()
    assert SITE.aoi.all()


def test_a_datatake_across_midnight_is_one_candidate() -> None:
    """Its halves of two days beat a date that shows all, but for half of it under cloud."""
    before = candidate("2020-10-01", scl(no_data_columns=slice(0, 80)), acquired=instant("2020-10-01T23:58"))
    after = candidate("2020-10-02", scl(no_data_columns=slice(80, 160)), acquired=instant("2020-10-02T00:01"))
    clouded = candidate("2020-10-11", scl(cloud_columns=slice(0, 60)))
    taken, rows, _ = chosen([before, after, clouded], fill_above=1.0)
    assert sorted(taken) == ["S2_2020-10-01", "S2_2020-10-02"]
    assert rows["S2_2020-10-02"].aoi_coverage == 1.0


def test_a_product_made_locally_never_supersedes_one_of_esa() -> None:
    """Baseline 99.99 is the number of products that the Data Space makes on demand."""
    local = candidate("2020-10-01", id="local", processing_baseline="99.99", convention="stated")
    newer = candidate("2020-10-01", id="newer", processing_baseline="05.00", convention="stated")
    taken, rows, _ = chosen([local, newer])
    assert taken == ["newer"]
    assert rows["local"].reason == "the same tile and day exist at baseline 05.00"


def test_a_tile_that_two_orbits_see_on_one_day_is_not_superseded() -> None:
    """At high latitudes: another satellite's image is no older processing."""
    first = candidate("2020-10-01", id="first", processing_baseline="02.14", relative_orbit=5)
    second = candidate("2020-10-01", id="second", processing_baseline="05.00", relative_orbit=8)
    _, rows, _ = chosen([first, second])
    assert "baseline" not in rows["first"].reason


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
