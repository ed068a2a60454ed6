"""Scenes are stored as STAC and read back as they were."""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.scene.scene import Layer, Scene, SceneInfo
from stages.common.scene.stac import write_catalog
from stages.common.scene.store import read_scenes, write_index, write_scene

UTM = Grid(crs="EPSG:32644", transform=Affine(10, 0, 350_000, 0, -10, 3_420_000), height=4, width=6)
COARSE = Grid(crs="EPSG:32644", transform=Affine(20, 0, 350_000, 0, -20, 3_420_000), height=2, width=3)
DEGREES = Grid(crs="EPSG:4326", transform=Affine(2e-4, 0, 79.0, 0, -1e-4, 30.9), height=4, width=6)
ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=36 +lon_0=85 +datum=WGS84 +units=m"


def layer(name: str, grid: Grid = UTM, *, dtype: str = "uint16", nodata: float | None = 0) -> Layer:
    pixels = np.arange(grid.height * grid.width).reshape(grid.shape).astype(dtype)
    return Layer(name=name, pixels=pixels, grid=grid, nodata=nodata, scale=1e-4, offset=-0.1)


FULL = SceneInfo(
    id="S2A_T44RLV_20201015",
    year=2020,
    acquired=dt.datetime(2020, 10, 15, 5, 17, 31, tzinfo=dt.UTC),
    product="S2A_MSIL2A_20201015T051731_N0500_R062_T44RLV_20230101T000000.SAFE",
    platform="sentinel-2a",
    processing_level="L2A",
    processing_baseline="05.00",
    relative_orbit=62,
    tile="44RLV",
    sun_elevation_deg=48.5,
    sun_azimuth_deg=160.25,
)
DAY = SceneInfo(id="day", year=2020, acquired=dt.date(2020, 10, 15), product="day.tif")
YEAR = SceneInfo(id="year", year=2020, acquired=None, product="year.tif")


def store(folder: Path, info: SceneInfo, *layers: Layer) -> Scene:
    year_folder = folder / "data/scenes" / str(info.year)
    scene = write_scene(year_folder, info, layers)
    write_index(year_folder, info.year, [scene])
    return scene


@pytest.mark.parametrize("info", [FULL, DAY, YEAR], ids=lambda info: info.id)
def test_what_is_known_comes_back(info: SceneInfo, tmp_path: Path) -> None:
    written = store(tmp_path, info, layer("B02"), layer("B11", COARSE), layer("cloud_mask", COARSE, dtype="uint8"))
    (read,) = read_scenes(tmp_path / "data/scenes/2020")
    assert read == written
    assert read.info == info
    assert read.info.day == (None if info is YEAR else dt.date(2020, 10, 15))
    assert list(read.bands) == ["B02", "B11"]
    assert read.cloud_mask is not None


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint16", 0), ("uint8", None), ("int16", -9999), ("float32", -1.5), ("float64", math.nan)]
)
def test_pixels_and_nodata_come_back(dtype: str, nodata: float | None, tmp_path: Path) -> None:
    source = layer("red", dtype=dtype, nodata=nodata)
    store(tmp_path, DAY, source)
    band = read_scenes(tmp_path / "data/scenes/2020")[0].bands["red"]
    assert (band.dtype, band.scale, band.offset) == (dtype, 1e-4, -0.1)
    assert band.nodata == nodata or (math.isnan(band.nodata or 0) and math.isnan(nodata or 0))
    with rasterio.open(band.path) as dataset:
        assert (dataset.read(1) == source.pixels).all()
        assert dataset.descriptions == ("red",)
        assert dataset.scales == (1e-4,)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert "NaN" not in (tmp_path / "data/scenes/2020/day/day.json").read_text()


def test_the_item_speaks_stac(tmp_path: Path) -> None:
    store(tmp_path, FULL, layer("B02"), layer("B11", COARSE))
    item = pystac.Item.from_file(str(tmp_path / f"data/scenes/2020/{FULL.id}/{FULL.id}.json"))
    assert item.properties["processing:level"] == "L2A"
    assert item.properties["processing:version"] == "05.00"
    assert item.properties["grid:code"] == "MGRS-44RLV"
    assert item.properties["sat:relative_orbit"] == 62
    assert item.properties["proj:code"] == "EPSG:32644"
    assert item.assets["B11"].extra_fields["proj:shape"] == [2, 3]
    assert item.assets["B11"].extra_fields["proj:transform"] == [20, 0, 350_000, 0, -20, 3_420_000]
    assert item.assets["B02"].extra_fields["raster:bands"] == [
        {"data_type": "uint16", "nodata": 0, "offset": -0.1, "scale": 1e-4}
    ]
    assert {uri.split("/")[3] for uri in item.stac_extensions} == {
        "processing", "sat", "grid", "view", "projection", "raster",
    }  # fmt: skip


def test_a_day_or_a_year_is_an_interval(tmp_path: Path) -> None:
    store(tmp_path, DAY, layer("B02"))
    properties = json.loads((tmp_path / "data/scenes/2020/day/day.json").read_text())["properties"]
    assert properties["datetime"] is None
    assert properties["start_datetime"] == "2020-10-15T00:00:00Z"
    assert properties["end_datetime"] == "2020-10-15T23:59:59Z"


@pytest.mark.parametrize("grid", [pytest.param(DEGREES, id="degrees"), pytest.param(UTM, id="UTM")])
def test_footprint_is_in_degrees(grid: Grid, tmp_path: Path) -> None:
    corners = [grid.transform @ corner for corner in ((0, 0), (6, 0), (6, 4), (0, 4))]
    x, y = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(*zip(*corners, strict=True))
    expected = [min(x), min(y), max(x), max(y)]
    store(tmp_path, DAY, layer("B02", grid))
    document = json.loads((tmp_path / "data/scenes/2020/day/day.json").read_text())
    assert document["bbox"] == pytest.approx(expected, abs=2e-6)
    assert document["bbox"] == [round(degrees, 6) for degrees in document["bbox"]]
    (ring,) = document["geometry"]["coordinates"]
    assert sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(ring)) < 0  # counterclockwise


def test_a_crs_without_code_is_written_in_full(tmp_path: Path) -> None:
    grid = Grid(crs=ALBERS, transform=UTM.transform, height=4, width=6)
    store(tmp_path, DAY, layer("B02", grid))
    properties = json.loads((tmp_path / "data/scenes/2020/day/day.json").read_text())["properties"]
    assert properties["proj:wkt2"].startswith("PROJCRS")
    assert properties["proj:code"] is None


def test_the_same_scene_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store(tmp_path / name, FULL, layer("B02"))
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert first == second


def test_a_year_is_read_without_the_rest_of_data(tmp_path: Path) -> None:
    store(tmp_path, DAY, layer("B02"))
    shutil.move(tmp_path / "data/scenes/2020", tmp_path / "alone")
    shutil.rmtree(tmp_path / "data")
    (scene,) = read_scenes(tmp_path / "alone")
    assert scene.bands["B02"].path.is_file()


def test_the_catalogue_links_all_items(tmp_path: Path) -> None:
    scenes = [
        store(tmp_path, info, layer("B02")) for info in (DAY, SceneInfo(id="a", year=2019, acquired=None, product="a"))
    ]
    write_catalog(tmp_path / "data", scenes, name="tiny", title="Tiny")
    catalog = pystac.Catalog.from_file(str(tmp_path / "data/catalog.json"))
    assert [item.id for item in catalog.get_items()] == ["a", "day"]
    assert all(item.get_root() is catalog for item in catalog.get_items())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("index.json", None, id="no index"),
        pytest.param("index.json", "{}", id="empty index"),
        pytest.param("index.json", '{"year": 2020, "items": []}', id="index without items"),
        pytest.param("day/day.json", None, id="no item"),
        pytest.param("day/day.json", "{", id="broken item"),
        pytest.param("day/day.json", '{"type": "Feature"}', id="no STAC"),
        pytest.param("index.json", "\N{LATIN SMALL LETTER U WITH DIAERESIS}", id="index not in UTF-8"),
        pytest.param("day/day.json", "null", id="an item of nothing"),
        pytest.param("day/day.json", '"day"', id="an item of text"),
        pytest.param("day/B02.tif", None, id="no COG"),
    ],
)
def test_what_is_missing_is_named(name: str, content: str | None, tmp_path: Path) -> None:
    store(tmp_path, DAY, layer("B02"))
    path = tmp_path / "data/scenes/2020" / name
    path.unlink() if content is None else path.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="a stored scene cannot be read") as caught:
        read_scenes(tmp_path / "data/scenes/2020")
    assert caught.value.where == str(path)


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%20b", "it's", 'say "b"', "a b", "100%", "Zürich", "a:b", "a;b&c"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    scene = store(Path(), FULL, layer("red"))
    assert read_scenes(Path("data/scenes/2020")) == [scene]
    assert scene.bands["red"].path == Path("data/scenes/2020/S2A_T44RLV_20201015/red.tif")
    item = json.loads(Path("data/scenes/2020/S2A_T44RLV_20201015/S2A_T44RLV_20201015.json").read_text())
    assert {link["href"] for link in item["links"]} == {"../../../catalog.json"}
