"""What a cell is expected to read: as `ingest` asks, file by file."""

from __future__ import annotations

import math
from typing import Any

import pytest

from region.cost import cost_of, lines
from region.plan import Cell
from region.reads import OPEN_REQUESTS, passes, reads_of, tiles_needed, tiles_touched, window_reads
from region.run import DEFAULT_RATES
from sandbox import tiny
from stages.common.params.ingest import SeasonParams
from stages.common.params.schema import Params

BANDS = ["B02", "B03", "B04", "B8A", "B11", "B12"]
SEASON = SeasonParams(first="09-20", last="11-10")


def params(**ingest: Any) -> Params:
    content = tiny.params(tiny.ROOT, [2020, 2021])
    content["prepare"] = {"bands": BANDS, "storage": "sentinel2"}
    content["report"] = {"rgb": ["B04", "B03", "B02"]}
    content["ingest"] |= {"source": "stac", "stac": {"profile": "earth-search-c1"}, "season": SEASON.model_dump()}
    content["ingest"] |= ingest
    return Params.model_validate(content)


def cell(side_m: float = 20_000, crs: str = "EPSG:32644", bottom: float = 3_400_000) -> Cell:
    bounds = (400_000.0, bottom, 400_000 + side_m, bottom + side_m)
    return Cell(name="c", crs=crs, bounds=bounds, glaciers=("G",), outlines_km2=1.0, pixels=int(side_m / 10) ** 2)


def test_files_are_the_classes_of_every_date_the_snow_of_some_and_the_rest_of_those_taken() -> None:
    dates, touched, needed = passes(SEASON, cell().bounds[1] / 111_000), tiles_touched(2e4) ** 2, tiles_needed(2e4) ** 2
    expected = 2 * (dates * touched + 6 * 3 * needed + 1 * 3 * needed)  # years; snow_looks x 3 bands; 3 other bands
    assert reads_of(cell(), params()).files == pytest.approx(expected, rel=0.01)


def test_no_more_dates_are_looked_at_than_there_are() -> None:
    few, many = (
        reads_of(cell(), params(choice={"snow_looks": looks}, season={"first": "10-01", "last": "10-05"})).files
        for looks in (2, 50)
    )
    assert few == many


def test_every_file_is_opened_and_its_window_read() -> None:
    reads = reads_of(cell(), params())
    assert reads.requests > (OPEN_REQUESTS + 1) * reads.files
    assert reads.requests < (OPEN_REQUESTS + 8) * reads.files


@pytest.mark.parametrize(
    ("name", "side_m", "counted", "megabytes"),
    [  # a window of 4 and of 24 km in files of noise on nginx, blocks of 1,024 px
        pytest.param("B04", 4_000, 5, 1.8, id="10 m, small"),
        pytest.param("B11", 4_000, 5, 1.8, id="20 m, small"),
        pytest.param("B04", 24_000, 9, 15.8, id="10 m, large: more than GDAL takes at once"),
        pytest.param("B11", 24_000, 6, 6.9, id="20 m, large"),
    ],
)
def test_requests_of_a_file_as_they_were_counted(name: str, side_m: float, counted: int, megabytes: float) -> None:
    """On average a window lies worse to the blocks than the counted ones, which is why more is expected."""
    reads = window_reads(name, side_m, side_m)
    assert counted <= reads.requests <= 1.2 * counted
    assert megabytes <= reads.bytes / 1e6 <= 2.3 * megabytes


@pytest.mark.parametrize(
    ("first", "last", "days"), [("09-20", "11-10", 52), ("11-01", "01-31", 92), ("01-01", "12-31", 365)]
)
def test_dates_of_a_season_at_the_equator_and_at_60_degrees(first: str, last: str, days: int) -> None:
    season = SeasonParams(first=first, last=last)
    assert passes(season, 0) == pytest.approx(days / 5 * 1.035, rel=0.001)
    assert passes(season, 60) == pytest.approx(2 * passes(season, 0))
    assert passes(None, 0) == pytest.approx(365 / 5 * 1.035, rel=0.001)


def test_south_of_the_equator_northings_begin_at_ten_thousand_km() -> None:
    north, south = cell(bottom=3_400_000), cell(crs="EPSG:32744", bottom=6_580_000)
    assert reads_of(south, params()).files == pytest.approx(reads_of(north, params()).files)


def test_tiles() -> None:
    assert [tiles_touched(side) for side in (0, 90_200)] == pytest.approx([1.098, 2.0])
    assert [tiles_needed(side) for side in (5_000, 9_800, 109_800)] == pytest.approx([1, 1, 2])


def test_local_files_are_no_requests() -> None:
    local = Params.model_validate(tiny.params(tiny.ROOT, [2020]))
    cost = cost_of([cell()], local, DEFAULT_RATES)
    assert (cost.files, cost.requests) == (0, 0)
    assert math.isclose(cost.bytes_read, 4e6 * 4 * 2)
    assert not any("requests" in line for line in lines([cell()], cost, DEFAULT_RATES, 1))
    asked = lines([cell()], cost_of([cell()], params(), DEFAULT_RATES), DEFAULT_RATES, 1)
    assert any("requests to" in line for line in asked)
