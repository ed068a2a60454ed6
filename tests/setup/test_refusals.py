"""What a new site cannot be made of: one clear error each, before anything is written."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from sandbox import tiny
from setup.arguments import parse_arguments
from setup.content import season_of, year_starts
from setup.folder import write_site
from setup.place import place_of_scenes
from setup.scenes import read_scenes
from setup.site import main
from stages.common.errors import InputError
from stages.common.geo.vectors import site_grid
from stages.common.params.ingest import SeasonParams
from stages.common.params.schema import load_params
from stages.ingest.input_files import read_vector
from stages.ingest.region import Region
from stages.ingest.season import season_dates, year_of, year_start


def replaced(words: Sequence[str], **changes: object) -> list[str]:
    texts = dict(word.split("=", 1) for word in words) | {key: str(value) for key, value in changes.items()}
    return [f"{key}={text}" for key, text in texts.items() if text]


def of_catalogue(words: Sequence[str], aoi: Path, **changes: object) -> list[str]:
    return replaced(words, SCENES="", AOI=aoi, YEARS="2019-2021", **changes)


def rewritten(path: Path, **profile: object) -> Path:
    """Write the scene of a path again with another CRS or transform; return the new file's path."""
    target = path.with_name(f"new_{path.name}")
    with rasterio.open(path) as dataset:
        pixels, old = dataset.read(), dataset.profile
    with rasterio.open(target, "w", **(old | profile)) as dataset:
        dataset.write(pixels)
        dataset.descriptions = [f"B{band:02d}" for band in range(2, 2 + dataset.count)]
    return target


@pytest.fixture
def scene(words: list[str], tmp_path: Path) -> Path:
    return tmp_path / "in put/scene_20191015.tif"


@pytest.fixture
def aoi(tmp_path: Path) -> Path:
    left, top = tiny.LEFT, tiny.TOP
    box = shapely.box(left, top - 4800, left + 4800, top)
    path = tmp_path / "aoi.gpkg"
    geopandas.GeoDataFrame(geometry=[box], crs=tiny.CRS).to_file(path)
    return path


def refused(words: Sequence[str], root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message; nothing may be left."""
    assert main(words, root) == 2
    assert not list((root / "sites").iterdir())
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"NAME": "a" * 300}, "up to 63 lower-case letters"),
        ({"SCENES": "~no-such-user/scene.tif"}, "SCENES"),
        ({"SCENES": "source/**.tif"}, "which no file matches"),
        ({"OUTLINES": "~no-such-user/rgi.gpkg"}, "OUTLINES"),
        ({"BANDS": "B02 B02 B04"}, "rename B02 with BANDS"),
        ({"BANDS": "B02,g:n,B04"}, "rename g:n with BANDS"),
        ({"BANDS": "B02 B03"}, "name every band in the order of the file"),
        ({"DATES": "1960-10-30 2020-10-06 2021-10-06"}, "days of 1972 to 2100"),
    ],
)
def test_words_of_own_scenes(
    changes: dict[str, str], message: str, root: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(replaced(words, **changes), root, capsys)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PROFILE": "nope"}, "copernicus-dataspace, earth-search-c1"),
        ({"URL": "file:///etc"}, "an address as https://"),
        ({"URL": "http://[::1"}, "an address as https://"),
        ({"YEARS": "1990-1995"}, "Sentinel-2 has scenes since 2015"),
        ({"YEARS": "2024-2016"}, "Sentinel-2 has scenes since 2015"),
        ({"YEARS": "2090"}, "Sentinel-2 has scenes since 2015"),
    ],
)
def test_words_of_a_catalogue(
    changes: dict[str, str], message: str, root: Path, words: list[str], aoi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(of_catalogue(words, aoi) + [f"{key}={text}" for key, text in changes.items()], root, capsys)
    assert message in error
    assert ".tmp" not in error


def test_an_id_that_the_inventory_has_not(root: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    unknown = [*replaced(words, SCENES="", YEARS="2019-2021"), "RGI_ID=RGI60-15.99999"]
    error = refused(unknown, root, capsys)
    assert "the outlines have no glacier of this id" in error
    assert "2 outlines: RGI60-15.00001, RGI60-15.00002" in error
    assert "correct RGI_ID" in error


def test_scenes_beside_the_outlines(
    root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with rasterio.open(scene) as dataset:
        far = rewritten(scene, transform=dataset.transform * Affine.translation(5000, 0))
    error = refused(replaced(words, SCENES=f"'{far}'"), root, capsys)
    assert "no outline lies within the scenes" in error
    assert "give the outlines of this place" in error


def test_scenes_of_two_sensors(root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One site has pixels of one size: 10 m beside 30 m is refused, and the message says both ways out."""
    with rasterio.open(scene) as dataset:
        fine = rewritten(scene, transform=dataset.transform * Affine.scale(1 / 3))
    error = refused(replaced(words, SCENES=f"'{scene}' '{fine}'", DATES="2019-10-15 2020-10-15"), root, capsys)
    assert "the scenes are of sensors with different pixels, and one site cannot have both" in error
    assert f"10 m in {fine.name}, 30 m in {scene.name}" in error
    assert "make a site of each sensor; or bring all to the coarser pixels" in error


def test_a_scene_listed_twice(root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"'{scene.parent}/*.tif' '{scene}'"
    assert f"{scene.name} twice" in refused(replaced(words, SCENES=text), root, capsys)


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_scene_that_holds_nothing(
    value: float, root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with rasterio.open(scene) as dataset:
        shape, profile = (dataset.count, *dataset.shape), dataset.profile
    kind = "float32" if np.isnan(value) else "uint8"
    with rasterio.open(scene, "w", **(profile | {"dtype": kind, "nodata": None})) as dataset:
        dataset.write(np.full(shape, value, dtype=kind))
        dataset.descriptions = [f"B{band:02d}" for band in range(2, 2 + dataset.count)]
    assert "the scene holds no data" in refused(words, root, capsys)


def test_a_scene_that_is_cut_short(
    root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.write_bytes(scene.read_bytes()[: scene.stat().st_size // 2])
    error = refused(words, root, capsys)
    assert "truncated or damaged" in error or "not readable as a raster" in error


def test_scenes_of_one_year_that_lie_apart(
    root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = rewritten(scene, crs="EPSG:32643")
    assert "the scenes of 2019 lie apart" in refused(replaced(words, SCENES=f"'{scene}' '{far}'"), root, capsys)


def test_pixels_in_feet_are_told_in_metres(words: list[str], scene: Path) -> None:
    """EPSG:2258 is New Mexico's, in US feet: 30 of them are 9.1 m."""
    feet = rewritten(scene, crs="EPSG:2258", transform=Affine(30, 0, 1_600_000, 0, -30, 1_400_000))
    outlines = scene.parent / "there.gpkg"
    with rasterio.open(feet) as dataset:
        left, bottom, _, top = dataset.bounds
        boxes = [shapely.box(left + 200, bottom + 200, left + 2500, top - 200)]
    frame = geopandas.GeoDataFrame({"rgi_id": ["a"], "src_date": ["2000-10-30"]}, geometry=boxes, crs="EPSG:2258")
    frame.to_crs("EPSG:4326").to_file(outlines)
    arguments = parse_arguments(replaced(words, SCENES=f"'{feet}'", OUTLINES=outlines))
    place = place_of_scenes(arguments, read_scenes(arguments))
    assert place.pixel_size_m.value == 9


def test_an_aoi_larger_than_any_machine(
    root: Path, words: list[str], aoi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geopandas.read_file(aoi).buffer(300_000).to_file(aoi)
    assert "the site is too large" in refused(of_catalogue(words, aoi), root, capsys)


def test_an_aoi_that_the_scenes_do_not_show(
    root: Path, words: list[str], scene: Path, aoi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with rasterio.open(scene) as dataset:
        far = rewritten(scene, transform=dataset.transform * Affine.translation(5000, 0))
    error = refused(replaced(words, SCENES=f"'{far}'", AOI=aoi), root, capsys)
    assert "the scenes show none of the outlines within the AOI" in error


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "not readable as a raster"),
        ("far", "the DEM lies elsewhere"),
        ("colours", "the DEM has several bands"),
    ],
)
def test_a_dem_that_ingest_would_refuse(
    kind: str, message: str, root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dem = scene.parent / "dem.tif"
    if kind == "far":
        with rasterio.open(scene) as dataset:
            heights, profile = dataset.read(1), dataset.profile | {"count": 1, "crs": "EPSG:32633"}
        with rasterio.open(dem, "w", **profile) as dataset:
            dataset.write(heights, 1)
    elif kind == "colours":
        shutil.copy(scene, dem)
    else:
        dem.write_text("no raster")
    assert message in refused([*words, f"DEM={dem}"], root, capsys)


@pytest.mark.parametrize("name", ["a;b.gpkg", "a!b.gpkg"])
def test_names_that_a_reader_takes_apart(name: str, words: list[str], scene: Path) -> None:
    path = Path(shutil.copy(scene.parent / "outlines.gpkg", scene.parent / name))
    with pytest.raises(InputError, match="cannot be read under this name"):
        read_vector(path, None)


@pytest.mark.parametrize(("season", "year"), [("12-15:03-01", 2020), ("09-20:11-10", 2019), ("09-20:09-19", 2020)])
def test_a_season_over_new_year_lies_within_a_year_of_the_series(
    season: str, year: int, root: Path, words: list[str], aoi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(of_catalogue(words, aoi, SEASON=season), root) == 0
    params = load_params(root / "sites/mine/params.yaml")
    grid = site_grid(params.grid, aoi)
    starts = year_start(params, Region(grid=grid, aoi=geopandas.read_file(aoi)))
    assert year_of(dt.date(2019, 12, 20), starts) == year


@pytest.mark.parametrize("latitude", [-70, -40, -10, 10, 30, 50, 70])
def test_the_season_of_every_latitude_lies_within_a_year(latitude: float) -> None:
    arguments, place = SimpleNamespace(season=None), SimpleNamespace(latitude=latitude)
    lines = season_of(arguments, place)  # type: ignore[arg-type]
    season = SeasonParams(first=lines["first"].value, last=lines["last"].value)
    usual = "07-01" if latitude < 0 else "01-01"
    line = year_starts(arguments, place).get("year_starts")  # type: ignore[arg-type]
    first, last = season_dates(2001, season, line.value if line else usual)
    assert first <= last
    assert (line is None) == (abs(latitude) != 10)


def test_scenes_of_the_same_ground_in_one_year_are_noted(
    root: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "DATES=2019-10-15 2019-11-01 2021-10-15"], root) == 0
    assert "note: 2 scenes of 2019 show the same ground: ingest refuses them" in capsys.readouterr().out


def test_what_is_counted_once_stands_in_the_singular(
    root: Path, words: list[str], scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(replaced(words, SCENES=f"'{scene}'"), root) == 0
    assert "params.yaml: 1 year, 2 outlines" in capsys.readouterr().out


def test_an_aoi_that_the_scenes_cover_in_part_is_noted(
    root: Path, words: list[str], aoi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, f"AOI={aoi}"], root) == 0
    assert "of the AOI" not in capsys.readouterr().out
    half = shapely.box(tiny.LEFT, tiny.TOP - 4800, tiny.LEFT + 9600, tiny.TOP)
    geopandas.GeoDataFrame(geometry=[half], crs=tiny.CRS).to_file(aoi)
    assert main(replaced(words, NAME="half", AOI=aoi), root) == 0
    assert "the scenes of all years share 50 % of the AOI" in capsys.readouterr().out


def test_sites_that_this_user_may_not_write() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="glacier-sites-") as name:
        Path(name).chmod(0o755)
        sites = Path(name, "sites")
        sites.mkdir()
        sites.chmod(0o555)
        if root_runs := os.geteuid() == 0:
            os.seteuid(12345)
        try:
            with pytest.raises(InputError, match="no site can be written here") as caught:
                write_site(Path(name), "mine", "")
        finally:
            if root_runs:
                os.seteuid(0)
        assert str(sites) in caught.value.where
        assert list(sites.iterdir()) == []
