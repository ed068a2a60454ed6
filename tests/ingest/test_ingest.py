"""What `ingest` writes when all is well."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pystac
import pytest
import rasterio
import yaml
from shapely.affinity import translate
from shapely.geometry import GeometryCollection, MultiLineString, box

from sandbox import tiny
from stages.common.scene.store import read_scenes
from stages.common.tables.kinds import DEBRIS, DEM, FLOW_LINES, RGI7_COLUMNS
from stages.ingest.ingest import main
from tests.ingest import spoil
from tests.ingest.spoil import Spoiler
from tests.ingest.test_refusals import snapshot


def ingest(site: Path, *changes: Spoiler) -> None:
    params = yaml.safe_load((site / "params.yaml").read_text())
    for change in changes:
        change(site, params)
    tiny.write_params(site, params)
    assert main([]) == 0


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_the_same_sources_give_the_same_bytes(site: Path) -> None:
    before, listed = snapshot(site / "data"), (site / "data.dvc").read_bytes()
    ingest(site)
    assert snapshot(site / "data") == before
    assert (site / "data.dvc").read_bytes() == listed


def test_another_site_folder_gives_the_same_bytes(site: Path, good_site: Path) -> None:
    shutil.rmtree(site / "data")
    ingest(site)
    assert snapshot(site / "data") == snapshot(good_site / "data")
    for name, content in snapshot(site / "data").items():
        assert str(site).encode() not in content, name


def test_pixels_are_clipped_and_not_resampled(site: Path) -> None:
    left, top, px = tiny.LEFT + 40 * tiny.PIXEL_M, tiny.TOP - 50 * tiny.PIXEL_M, tiny.PIXEL_M
    ingest(site, spoil.setting([left, top - 30 * px, left + 20 * px, top], "ingest", "aoi", "bounds"))

    (scene,) = read_scenes(Path("data/scenes/2020"))

    assert list(scene.bands) == sorted(tiny.BANDS)
    with rasterio.open(scene.bands["red"].path) as dataset:
        assert dataset.transform.c == left - 4 * px
        assert dataset.transform.f == top + 4 * px
        assert (dataset.read(1) == tiny.scene(2020)[0, 46:84, 36:64]).all()  # 30 x 20 px and a margin of 4


def test_the_catalogue_is_static_and_whole(site: Path) -> None:
    catalog = pystac.Catalog.from_file("data/catalog.json")
    items = list(catalog.get_items())
    assert [item.id for item in items] == ["2020", "2021"]
    assert "self" not in {link["rel"] for link in json.loads(Path("data/catalog.json").read_text())["links"]}
    for item in items:
        assert item.get_parent() is catalog
        assert item.properties["proj:code"] == tiny.CRS
        assert item.bbox[0] == pytest.approx(79.44, abs=0.1)
        for asset in item.assets.values():
            assert Path(asset.get_absolute_href()).is_file()
            assert asset.href.startswith("./")


def test_a_year_knows_nothing_of_other_years(site: Path) -> None:
    before = snapshot(site / "data/scenes/2020")
    ingest(
        site,
        spoil.setting([2020], "years"),
        lambda _, params: spoil.scenes(params).pop(),
    )
    assert snapshot(site / "data/scenes/2020") == before
    assert not (site / "data/scenes/2021").exists()


def test_scale_and_nodata_come_from_the_file_unless_given(site: Path) -> None:
    with rasterio.open("source/2020.tif", "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.nodata = [1e-4] * 3, [-0.1] * 3, 3
    with rasterio.open("source/2021.tif", "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.nodata = [1e-4] * 3, [-0.1] * 3, 3
    ingest(site, lambda _, params: spoil.scenes(params)[1].update(scale=0.5, offset=0.0, nodata=9))

    first, second = (read_scenes(Path(f"data/scenes/{year}"))[0].bands["red"] for year in (2020, 2021))

    assert (first.scale, first.offset, first.nodata) == (1e-4, -0.1, 3)
    assert (second.scale, second.offset, second.nodata) == (0.5, 0.0, 9)


@pytest.mark.parametrize(
    "tile",
    [
        pytest.param(spoil.second_tile(shift_px=160), id="adjoins"),
        pytest.param(spoil.second_tile(shift_px=160, date="2020-10-17"), id="adjoins, two days later"),
        pytest.param(spoil.second_tile(shift_px=0), id="same day, equal where both are"),
        pytest.param(spoil.second_tile(shift_px=100, date="2020-10-17"), id="overlaps, two days later, shows more"),
        pytest.param(spoil.second_tile(shift_px=160, processing_baseline="05.09"), id="another baseline"),
    ],
)
def test_tiles_of_a_year_that_fit_are_taken(tile: Spoiler, site: Path) -> None:
    ingest(site, tile)
    assert [scene.info.id for scene in read_scenes(Path("data/scenes/2020"))] == ["2020", "tile"]


def test_tiles_may_overlap_where_one_has_no_data(site: Path) -> None:
    tile = tiny.scene(2020, seed=5)
    tile[:, :, :60] = 0
    ingest(site, spoil.second_tile(shift_px=100, pixels=tile, nodata=0), spoil.scene(nodata=0))


def test_a_cloud_mask_is_stored_as_yes_or_no(site: Path) -> None:
    mask = np.zeros((1, 160, 160), "uint8")
    mask[0, :10] = 200
    ingest(site, spoil.cloud_mask(), lambda folder, _: tiny.write_scene(folder / "source/cloud.tif", mask))
    (scene,) = read_scenes(Path("data/scenes/2020"))
    assert scene.cloud_mask is not None
    assert "cloud_mask" not in scene.bands
    assert (pixels(scene.cloud_mask)[0] == (mask[0] > 0)).all()


@pytest.mark.parametrize("spelling", ["$MY_SCENES", "${MY_SCENES}"])
def test_paths_may_name_an_environment_variable(site: Path, monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    (site / "source").rename(site / "elsewhere")
    monkeypatch.setenv("MY_SCENES", str(site / "elsewhere"))
    before = snapshot(site / "data")
    text = (site / "params.yaml").read_text().replace("source/", f"{spelling}/")
    (site / "params.yaml").write_text(text)
    assert main([]) == 0
    assert snapshot(site / "data") == before


def test_self_touching_outlines_are_mended_with_a_warning(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ingest(site, spoil.outlines([spoil.SELF_TOUCHING]))
    (shape,) = geopandas.read_file("data/outlines.gpkg").to_crs(tiny.CRS).geometry
    assert shape.is_valid
    assert shape.area == pytest.approx(spoil.SELF_TOUCHING.area, rel=1e-6)
    assert "was invalid (Ring Self-intersection" in capfd.readouterr().err


def test_outlines_are_kept_whole_where_they_touch_the_aoi_and_left_out_elsewhere(site: Path) -> None:
    ingest(site, spoil.outlines([*tiny.outlines(), spoil.FAR]), spoil.setting(
        [tiny.LEFT, tiny.TOP - 2000, tiny.LEFT + 2000, tiny.TOP], "ingest", "aoi", "bounds"))  # fmt: skip
    outlines = geopandas.read_file("data/outlines.gpkg")
    assert outlines.crs.to_epsg() == 4326
    assert outlines.rgi_id.tolist() == ["RGI60-15.00000"]
    assert outlines.to_crs(tiny.CRS).area[0] == pytest.approx(tiny.outlines()[0].area, rel=1e-6)
    assert len(outlines.geometry[0].geoms[0].interiors) == 1  # the nunatak


def test_rgi6_columns_become_those_of_rgi7(site: Path) -> None:
    columns = {
        "RGIId": ["RGI60-15.00002", "RGI60-15.00001"],
        "Name": ["Large", None],
        "Area": [2.5, 0.5],
        "BgnDate": ["20000999", "-9999999"],
        "CenLon": [79.0, 79.1],
        "CenLat": [30.0, 30.1],
        "Zmin": [4000, -999],
        "Zmax": [6000, -9999],
    }
    ingest(site, spoil.outlines(columns=columns))
    read = geopandas.read_file("data/outlines.gpkg")
    assert list(read.columns) == [*RGI7_COLUMNS, "geometry"]
    first, second = read.astype(object).where(read.notna(), None).drop(columns="geometry").to_dict("records")
    unknown = {"termlon": None, "termlat": None}
    assert first == unknown | {
        "rgi_id": "RGI60-15.00001", "glac_name": None, "area_km2": 0.5, "src_date": None, "cenlon": 79.1,
        "cenlat": 30.1, "zmin_m": None, "zmax_m": None,
    }  # fmt: skip
    assert second == unknown | {
        "rgi_id": "RGI60-15.00002", "glac_name": "Large", "area_km2": 2.5, "src_date": "2000-09", "cenlon": 79.0,
        "cenlat": 30.0, "zmin_m": 4000.0, "zmax_m": 6000.0,
    }  # fmt: skip


def test_rgi7_columns_travel_as_they_are(site: Path) -> None:
    columns: dict[str, list[Any]] = {
        "rgi_id": ["RGI2000-v7.0-G-15-00001"], "glac_name": ["Gangotri"], "area_km2": [144.0],
        "src_date": ["2001-09-08T00:00:00"], "cenlon": [79.1], "cenlat": [30.8], "termlon": [79.07],
        "termlat": [30.93], "zmin_m": [3950.0], "zmax_m": [7050.0], "o1region": ["15"],
    }  # fmt: skip
    ingest(site, spoil.outlines(tiny.outlines()[:1], columns=columns))
    (row,) = geopandas.read_file("data/outlines.gpkg").drop(columns="geometry").to_dict("records")
    expected = {name: values[0] for name, values in columns.items() if name in RGI7_COLUMNS}
    assert row == expected | {"src_date": "2001-09-08"}


def test_an_aoi_file_is_dissolved_and_keeps_its_crs(site: Path) -> None:
    left, top = tiny.LEFT, tiny.TOP
    halves = [box(left, top - 3000, left + 2000, top), box(left + 1500, top - 3000, left + 3000, top)]
    ingest(site, spoil.aoi_file(halves))
    aoi = geopandas.read_file("data/aoi.gpkg")
    assert len(aoi) == 1
    assert aoi.crs.to_string() == tiny.CRS
    assert aoi.geometry[0].equals(box(left, top - 3000, left + 3000, top))


@pytest.mark.parametrize(("dtype", "nodata"), [("int16", -999), ("float64", float("nan")), ("uint16", None)])
def test_a_dem_becomes_one_of_the_permitted_kinds(site: Path, dtype: str, nodata: float | None) -> None:
    heights = np.full((1, 160, 160), 4000, dtype)
    if nodata is not None:
        heights[0, 0, 0] = nodata
    profile = {"driver": "GTiff", "height": 160, "width": 160, "count": 1, "dtype": dtype, "nodata": nodata}
    with rasterio.open("source/2020.tif") as like, rasterio.open(
        "dem.tif", "w", crs=like.crs, transform=like.transform, **profile
    ) as out:  # fmt: skip
        out.write(heights)
    ingest(site, spoil.setting({"dem": "dem.tif"}, "ingest", "auxiliary"))
    DEM.check(Path("data/auxiliary/dem.tif"))
    assert json.loads(Path("data/auxiliary/manifest.json").read_text())["dem"] == "dem.tif"
    with rasterio.open("data/auxiliary/dem.tif") as dataset:
        has_data = dataset.read_masks(1) > 0
        assert (dataset.read(1)[has_data] == 4000).all()
        assert (~has_data).sum() == (0 if nodata is None else 1)


@pytest.mark.parametrize("inside", [True, False])
def test_debris_cover_travels_where_it_touches_the_aoi(inside: bool, site: Path) -> None:
    tongue = tiny.ellipse(center=(1500, 2000), radii=(300, 200))
    shapes = [tongue, spoil.FAR] if inside else [spoil.FAR]
    geopandas.GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=tiny.CRS).to_file("debris.gpkg")
    ingest(site, spoil.setting({"debris": {"path": "debris.gpkg"}}, "ingest", "auxiliary"))
    assert json.loads(Path("data/auxiliary/manifest.json").read_text())["debris"] == "debris.gpkg"
    DEBRIS.check(Path("data/auxiliary/debris.gpkg"))
    debris = geopandas.read_file("data/auxiliary/debris.gpkg")
    assert debris.crs.to_epsg() == 4326
    assert len(debris) == inside
    if inside:
        assert debris.to_crs(tiny.CRS).area[0] == pytest.approx(tongue.area, rel=1e-6)


def test_flow_lines_travel_with_their_glaciers_id(site: Path) -> None:
    ids, lines = ["RGI60-15.00002", "RGI60-15.00001", "far"], []
    for shape in (*tiny.outlines()[::-1], spoil.FAR):
        left, bottom, right, top = shape.bounds
        middle = ((left + right) / 2, (bottom + top) / 2, 0.0)
        lines.append(MultiLineString([[(left, top, 0.0), middle], [middle, (right, bottom, 0.0)]]))
    geopandas.GeoDataFrame({"RGIId": ids}, geometry=lines, crs=tiny.CRS).to_file("lines.gpkg")
    ingest(site, spoil.setting({"flow_lines": {"path": "lines.gpkg"}}, "ingest", "auxiliary"))
    assert json.loads(Path("data/auxiliary/manifest.json").read_text())["flow_lines"] == "flow_lines.gpkg"
    FLOW_LINES.check(Path("data/auxiliary/flow_lines.gpkg"))
    flow_lines = geopandas.read_file("data/auxiliary/flow_lines.gpkg")
    assert (flow_lines.crs.to_epsg(), list(flow_lines.rgi_id)) == (4326, ["RGI60-15.00001", "RGI60-15.00002"])
    left, _, _, top = tiny.outlines()[0].bounds
    assert flow_lines.to_crs(tiny.CRS).geometry[0].coords[0] == pytest.approx((left, top), abs=0.01)


def test_a_failure_at_the_end_leaves_what_was_there(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(site / "data")

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stages.ingest.ingest.check_files", fail)
    with pytest.raises(KeyboardInterrupt):
        main([])
    assert snapshot(site / "data") == before


def test_an_unexpected_error_has_exit_code_3_and_leaves_what_was_there(
    site: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(site / "data")

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a mistake in the program")

    monkeypatch.setattr("stages.ingest.ingest.source_for", fail)
    assert main([]) == 3
    assert "Traceback" not in capfd.readouterr().err
    assert snapshot(site / "data") == before


def test_a_first_ingest_that_fails_leaves_no_data(site: Path) -> None:
    shutil.rmtree(site / "data")
    (site / "data.dvc").unlink()
    (site / "source/2021.tif").unlink()
    assert main([]) == 2
    assert not (site / "data").exists()
    assert not (site / "data.dvc").exists()


def test_describe_prints_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--describe"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert "outlines.gpkg" in described["properties"]["outputs"]["properties"]


def test_without_params_the_exit_code_is_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.samples
@pytest.mark.usefixtures("everest_site")
def test_the_everest_site_ingests(samples: Path) -> None:
    assert main([]) == 0
    (scene,) = read_scenes(Path("data/scenes/2000"))
    source = pixels(samples / "everest-landsat7/LE71400412000304SGS00_RGB.tif")
    for index, name in enumerate(("red", "green", "blue")):
        assert (pixels(scene.bands[name].path)[0] == source[index]).all()
    outlines = geopandas.read_file("data/outlines.gpkg")
    assert set(outlines.rgi_id) == set(geopandas.read_file(next((samples / "everest-landsat7").glob("*.gpkg"))).RGIId)
    assert outlines.src_date.str.match(r"^\d{4}(-\d\d(-\d\d)?)?$").all()


def test_a_spoilt_outline_far_away_does_no_harm(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A bow-tie, a doubled id and a point 90 km away, and a row without a geometry; collections keep their polygons."""
    first, second = tiny.outlines()
    collection = GeometryCollection([second, spoil.LINE])
    bow_tie = translate(spoil.BOW_TIE, 90_000, 90_000)
    shapes = [first, collection, bow_tie, spoil.FAR, translate(spoil.POINT, 90_000), None]
    ids = ["a", "b", "c", "a", "d", "e"]
    before = geopandas.read_file("data/outlines.gpkg")
    ingest(site, spoil.outlines(shapes, columns={"rgi_id": ids}))
    after = geopandas.read_file("data/outlines.gpkg")
    assert list(after["rgi_id"]) == ["a", "b"]
    assert after.geometry.geom_equals_exact(before.geometry, 1e-9).all()
    assert "1 feature(s) without a geometry are left out" in capfd.readouterr().err


def test_an_outline_that_laps_over_a_neighbour_is_named(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole, part = spoil.DRAWN_OVER[:2]
    ingest(site, spoil.outlines([whole, translate(part, -900)]))
    assert "10.0 % of RGI60-15.00000 lies under RGI60-15.00001" not in capfd.readouterr().err
    ingest(site, spoil.outlines([whole, translate(part, -800)]))
    assert "10.0 % of RGI60-15.00000 lies under RGI60-15.00001" in capfd.readouterr().err


def test_stated_zeros_are_void(site: Path) -> None:
    names = ["B02", "B03", "B04"]
    ingest(site, spoil.reflectance(black=20), spoil.bands(names), spoil.scene(nodata=0))
    (scene,) = read_scenes(Path("data/scenes/2020"))
    assert scene.bands["B02"].nodata == 0
    assert (pixels(scene.bands["B02"].path)[0, :, :20] == 0).all()


def test_a_stated_nodata_value_counts_beside_that_of_the_file(site: Path) -> None:
    """65535 marks voids in the file, and 0 by the user's word: neither is reflectance."""
    values = np.full((3, 160, 160), 3000, "uint16")
    values[:, :10], values[:, 10:15] = 65535, 0
    ingest(
        site,
        lambda folder, _: tiny.write_scene(folder / "source/2020.tif", values),
        lambda folder, _: set_nodata(folder / "source/2020.tif", 65535),
        spoil.scene(nodata=0),
    )
    (scene,) = read_scenes(Path("data/scenes/2020"))
    for band in scene.bands.values():
        assert band.nodata == 0
        assert (pixels(band.path)[0] == 0).sum() == 15 * 160
        assert pixels(band.path).max() == 3000


def test_a_band_that_is_not_asked_for_may_be_void(site: Path) -> None:
    """The file's one nodata value is that of every band of its quality band too."""
    values = np.concatenate([tiny.scene(2020), np.zeros((1, 160, 160))]).astype("uint16")
    ingest(
        site,
        lambda folder, _: tiny.write_scene(folder / "source/2020.tif", values),
        spoil.scene(bands=[*tiny.BANDS, "quality"], nodata=0),
    )
    (scene,) = read_scenes(Path("data/scenes/2020"))
    assert sorted(scene.bands) == sorted([*tiny.BANDS, "quality"])


def test_a_cloudier_year_is_taken_where_the_parameter_permits_it(site: Path) -> None:
    ingest(site, spoil.quality(1, 1, 1, 0), spoil.setting({"unseen_max": 0.9}, "ingest", "choice"))
    assert read_scenes(Path("data/scenes/2020"))[0].cloud_mask is not None


def set_nodata(path: Path, nodata: float) -> None:
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = nodata
