"""Years of a series are seasons, north and south of the equator."""

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas
import pytest
import shapely
from affine import Affine

from stages.common.errors import ParamsError
from stages.common.geo.grid import Grid
from stages.common.params.ingest import RasterSceneParams, SeasonParams
from stages.common.params.schema import Params, load_params
from stages.common.scene.scene import SceneInfo
from stages.ingest.region import Region
from stages.ingest.season import in_year, season_dates, year_of, year_start
from stages.ingest.sources.raster import scene_year
from stages.ingest.sources.stac.search import datetime_range

AUSTRAL = SeasonParams(first="11-15", last="02-29")


def region(latitude: float) -> Region:
    aoi = geopandas.GeoDataFrame(geometry=[shapely.box(-73.2, latitude - 0.1, -73.0, latitude + 0.1)], crs="EPSG:4326")
    return Region(grid=Grid("EPSG:32718", Affine(10, 0, 0, 0, -10, 0), 10, 10), aoi=aoi)


def params(season: SeasonParams | None = None, year_starts: str = "by_latitude") -> Params:
    whole = load_params()
    update: dict[str, Any] = {"season": season, "year_starts": year_starts}
    return whole.model_copy(update={"ingest": whole.ingest.model_copy(update=update)})


@pytest.mark.parametrize(
    ("latitude", "season", "year_starts", "starts"),
    [
        pytest.param(30.9, None, "by_latitude", "01-01", id="Himalaya"),
        pytest.param(-49.3, AUSTRAL, "by_latitude", "07-01", id="Patagonia"),
        pytest.param(-0.6, AUSTRAL, "09-01", "09-01", id="as said"),
        pytest.param(30.9, AUSTRAL, "07-01", "07-01", id="a winter of the north"),
    ],
)
def test_a_year_begins_by_latitude_or_as_said(
    latitude: float, season: SeasonParams | None, year_starts: str, starts: str
) -> None:
    assert year_start(params(season, year_starts), region(latitude)) == starts


@pytest.mark.parametrize(("latitude", "season"), [(30.9, AUSTRAL), (-49.3, SeasonParams(first="06-01", last="08-01"))])
def test_a_year_that_begins_within_the_season_is_refused(latitude: float, season: SeasonParams) -> None:
    with pytest.raises(ParamsError, match="a year of the series begins within the season"):
        year_start(params(season), region(latitude))


def test_november_and_january_of_one_austral_summer_are_one_year() -> None:
    days = [dt.date(2019, 11, 20), dt.date(2020, 1, 15), dt.date(2020, 2, 29)]
    assert [year_of(day, "07-01") for day in days] == [2020, 2020, 2020]
    assert [year_of(day, "01-01") for day in days] == [2019, 2020, 2020]
    assert (year_of(dt.date(2020, 6, 30), "07-01"), year_of(dt.date(2020, 7, 1), "07-01")) == (2020, 2021)
    info = SceneInfo(id="a", year=2019, acquired=dt.datetime(2019, 11, 20, 14, tzinfo=dt.UTC), product="a")
    assert in_year(info, "07-01").year == 2020


def test_the_season_of_a_year_goes_over_its_turn() -> None:
    assert [AUSTRAL.holds(dt.date(2020, month, 20)) for month in (10, 11, 12, 1, 2, 3)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    assert season_dates(2021, AUSTRAL, "07-01") == (dt.date(2020, 11, 15), dt.date(2021, 2, 28))
    assert season_dates(2021, None, "07-01") == (dt.date(2020, 7, 1), dt.date(2021, 6, 30))
    assert datetime_range(2020, AUSTRAL, "07-01") == "2019-11-15T00:00:00Z/2020-02-29T23:59:59Z"
    assert datetime_range(2020, None, "01-01") == "2020-01-01T00:00:00Z/2020-12-31T23:59:59Z"


def test_a_listed_raster_is_of_the_year_given_or_of_its_season() -> None:
    scene = RasterSceneParams.model_validate({"path": "a.tif", "date": "2019-11-20", "bands": ["B02"]})
    assert (scene_year(scene, "07-01"), scene_year(scene, "01-01")) == (2020, 2019)
    given = RasterSceneParams.model_validate({"path": "a.tif", "date": "2019-11-20", "year": 2020, "bands": ["B02"]})
    assert scene_year(given, "01-01") == 2020
    with pytest.raises(ValueError, match="year 2022 is not the year of date 2019-11-20, nor the one before or after"):
        RasterSceneParams.model_validate({"path": "a.tif", "date": "2019-11-20", "year": 2022, "bands": ["B02"]})
