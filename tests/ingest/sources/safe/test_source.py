"""Sentinel-2 products as downloaded."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio

from sandbox import tiny
from stages.common.run.records import read_rows
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import Scene
from stages.common.scene.store import read_scenes
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.ingest import main
from stages.ingest.sources.safe.metadata import product_metadata, tile_metadata
from tests.ingest.sources.safe import safe_product
from tests.ingest.test_ingest import pixels
from tests.ingest.test_refusals import snapshot


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def only_scene(year: int) -> Scene:
    (scene,) = read_scenes(Path(f"data/scenes/{year}"))
    return scene


def rows() -> dict[str | None, SceneChoiceRow]:
    return {row.id: row for row in read_rows(Path("data/scene_choice.csv"), SceneChoiceRow)}


def test_products_of_several_days_are_sorted_out(workdir: Path) -> None:
    safe_product.make_site(workdir, ["2020-10-01", "2021-10-06", "2021-12-01"])
    cloudy = np.full((160, 160), 9, np.uint8)
    safe_product.write_product(workdir / "source/more", "2021-10-26", scl=cloudy)
    safe_product.write_product(workdir / "source/more", "2021-10-06", left=tiny.LEFT + 90_000, tile="44RMV")
    assert main([]) == 0
    assert [str(only_scene(year).info.day) for year in (2020, 2021)] == ["2020-10-01", "2021-10-06"]
    reasons = {row.date: row.reason for row in rows().values() if not row.taken and row.tile == "44RLV"}
    assert reasons["2021-12-01"] == "outside the season, 09-20 to 11-10"
    assert reasons["2021-10-26"] == "shows nothing of the outlines"
    (outside,) = (row for row in rows().values() if row.tile == "44RMV")
    assert outside.reason.startswith("the AOI lies outside the raster")


@pytest.mark.parametrize(("offset", "expected"), [(-1000, -0.1), (None, 0.0), (-700, -0.07)])
def test_the_offset_is_what_the_metadata_say_for_the_band(workdir: Path, offset: int | None, expected: float) -> None:
    safe_product.make_site(workdir, ["2020-10-01"])
    shutil.rmtree(next((workdir / "source").glob("*.SAFE")))
    safe_product.write_product(workdir / "source", "2020-10-01", offset=offset)
    assert main([]) == 0
    scene = only_scene(2020)
    assert scene.info.convention == "stated"
    calibration = calibration_of(scene, "B11")
    assert (calibration.scale, calibration.offset) == pytest.approx((1e-4, expected))
    assert scene.bands["B11"].nodata == 0
    assert scene.scl is not None
    assert (scene.info.relative_orbit, scene.info.tile, scene.info.processing_baseline) == (5, "44RLV", "05.00")
    assert (scene.info.sun_elevation_deg, scene.info.sun_azimuth_deg) == (49.5, 160.25)


@pytest.mark.parametrize("compression", [0, 8], ids=["stored", "deflated"])
def test_a_zip_gives_the_same_bytes_as_the_folder_and_is_not_unpacked(workdir: Path, compression: int) -> None:
    safe_product.make_site(workdir, ["2020-10-01"])
    assert main([]) == 0
    as_folder = snapshot(workdir / "data")
    (safe,) = (workdir / "source").glob("*.SAFE")
    safe_product.zip_product(safe, workdir / "source", compression=compression)
    shutil.rmtree(safe)
    before = sorted(workdir.rglob("*"))
    assert main([]) == 0
    assert snapshot(workdir / "data") == as_folder
    assert sorted(workdir.rglob("*")) == before


def test_the_newer_processing_of_a_day_is_taken(workdir: Path) -> None:
    safe_product.make_site(workdir, ["2020-10-01"])
    safe_product.write_product(workdir / "source", "2020-10-01", baseline="02.14", offset=None)
    assert main([]) == 0
    assert only_scene(2020).info.processing_baseline == "05.00"


def test_l1c_is_taken_where_it_is_asked_for(workdir: Path) -> None:
    safe_product.make_site(workdir, ["2020-10-01"], processing_level="L1C")
    shutil.rmtree(next((workdir / "source").glob("*.SAFE")))
    safe_product.write_product(workdir / "source", "2020-10-01", level="1C")
    assert main([]) == 0
    scene = only_scene(2020)
    assert (scene.info.processing_level, scene.scl) == ("L1C", None)
    assert calibration_of(scene, "B03").offset == pytest.approx(-0.1)


def test_two_dates_stand_in_for_each_other_where_the_first_is_cloudy(workdir: Path) -> None:
    content = safe_product.make_site(workdir, ["2020-10-01"])
    west, east = (np.full((160, 160), 5, np.uint8) for _ in range(2))
    west[:, :60], east[:, 80:] = 9, 9
    shutil.rmtree(next((workdir / "source").glob("*.SAFE")))
    safe_product.write_product(workdir / "source", "2020-10-11", scl=west)
    safe_product.write_product(workdir / "source", "2020-10-16", scl=east)
    content["ingest"]["choice"] = {"scenes_per_year": 2}
    tiny.write_params(workdir, content)
    assert main([]) == 0
    assert len(read_scenes(Path("data/scenes/2020"))) == 2


def test_a_missing_year_is_named_with_the_reason_and_the_fix(workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = safe_product.make_site(workdir, ["2020-10-01"])
    safe_product.write_product(workdir / "source", "2021-10-06", scl=np.full((160, 160), 9, np.uint8))
    tiny.write_params(workdir, content | {"years": [2020, 2021, 2022]})
    assert main([]) == 2
    message = capfd.readouterr().err
    assert "there is no valid scene of 2021, 2022" in message
    assert "2021: 2021-10-06: shows nothing of the outlines; 2022: no candidate in the season" in message
    assert "leave it out (years: [2020])" in message
    assert not (workdir / "data").exists()
    table = read_rows(workdir / "artifacts/ingest/scene_choice.csv", SceneChoiceRow)
    assert [(row.year, row.taken) for row in table] == [(2020, True), (2021, False), (2022, False)]


# --- real products ----------------------------------------------------------------------------------------------


def expected_items(samples: Path) -> list[Path]:
    return sorted((samples / "safe-metadata").glob("*/expected_output.json"))


def test_metadata_of_real_products_are_those_of_their_stac_items(samples: Path) -> None:
    read = 0
    for path in expected_items(samples):
        item, folder = json.loads(path.read_text()), path.parent
        expected = item["properties"]
        tile_file = [*folder.glob("GRANULE/*/MTD_TL.xml"), *folder.glob("metadata.xml")][0]
        tile = tile_metadata(tile_file.read_bytes(), tile_file)
        assert f"MGRS-{tile.tile}" == expected["grid:code"], folder.name
        assert tile.platform == expected["platform"]
        assert tile.sun_elevation_deg == pytest.approx(expected.get("view:sun_elevation"), abs=1e-9), folder.name
        assert tile.sun_azimuth_deg == pytest.approx(expected.get("view:sun_azimuth"), abs=1e-9)
        headers = [*folder.glob("MTD_MSIL*.xml"), *folder.glob("product_metadata.xml")]
        if not headers:  # on AWS the tile stands alone
            assert tile.baseline == expected["s2:processing_baseline"]
            assert f"{tile.sensed:%Y-%m-%dT%H:%M:%S}" == expected["datetime"][:19]
            continue
        product = product_metadata(headers[0].read_bytes(), headers[0])
        read += 1
        assert product.uri == expected["s2:product_uri"]
        assert product.baseline == expected["s2:processing_baseline"]
        if "sat:relative_orbit" in expected:
            assert product.relative_orbit == expected["sat:relative_orbit"]
            assert f"{product.sensed:%Y-%m-%dT%H:%M:%S.%f}"[:23] == expected["datetime"][:23]
        for key, band in (("blue", "B02"), ("red", "B04"), ("swir16", "B11")):
            stated = item["assets"][key]["raster:bands"][0]
            stored = product.scale_and_offset(band)
            assert stored == pytest.approx((stated["scale"], stated["offset"])), (folder.name, band)
    assert read >= 9


def real_site(samples: Path, folder: Path, *, bounds: list[float], **changes: object) -> None:
    """The real product of 2022-10-05 over Ireland, with a made-up outline."""
    left, bottom, right, top = bounds
    ring = tiny.ellipse(center=((left + right) / 2 - tiny.LEFT, tiny.TOP - (bottom + top) / 2), radii=(1500, 1500))
    (folder / "source").mkdir()
    geopandas.GeoDataFrame({"RGIId": ["a"]}, geometry=[ring], crs="EPSG:32629").to_file(folder / "source/outlines.gpkg")
    content = safe_product.params(Path("source"), [2022], bands=("B02", "B03", "B04", "B11"), resolution_m=60)
    content["grid"] = {"crs": "EPSG:32629", "pixel_size_m": 60.0, "origin_m": [499_980, 5_900_040]}
    content["ingest"] |= {"aoi": {"bounds": bounds, "crs": "EPSG:32629"}}
    content["ingest"]["safe"] = {"folder": str(samples / "safe-l2a"), "resolution_m": 60} | changes
    tiny.write_params(folder, content)


CLEAR = [500_580.0, 5_883_840.0, 504_180.0, 5_887_440.0]
EDGE = [564_180.0, 5_846_760.0, 570_180.0, 5_852_760.0]
"""Where the swath ends; like CLEAR it is in the crops."""


def test_the_60_m_bands_of_a_real_product_work(samples: Path, workdir: Path) -> None:
    real_site(samples, workdir, bounds=CLEAR)
    assert main([]) == 0
    scene = only_scene(2022)
    assert scene.info.product == "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
    assert (scene.info.processing_baseline, scene.info.relative_orbit, scene.info.tile) == ("04.00", 23, "29UNU")
    assert calibration_of(scene, "B02").offset == pytest.approx(-0.1)
    (image,) = (samples / "safe-l2a").rglob("*_B02_60m.jp2")
    whole, part = pixels(image)[0], pixels(scene.bands["B02"].path)[0]
    with rasterio.open(scene.bands["B02"].path) as dataset:
        column, row = ~rasterio.open(image).transform @ (dataset.transform.c, dataset.transform.f)
    assert (part == whole[round(row) : round(row) + part.shape[0], round(column) : round(column) + part.shape[1]]).all()
    (row_,) = rows().values()
    assert (row_.cloud_over_glacier, row_.aoi_coverage) == (0.0, 1.0)


def test_the_missing_10_m_bands_of_a_real_product_are_one_error(
    samples: Path, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    real_site(samples, workdir, bounds=CLEAR, resolution_m=10)
    assert main([]) == 2
    message = capfd.readouterr().err
    assert "the product lacks bands" in message
    assert "no image of ['B02', 'B03', 'B04', 'B11']" in message
    assert "ingest.safe.resolution_m 20 or 60" in message
    assert message.count("fix:") == 1


def test_the_swath_edge_of_a_real_product_is_no_data(samples: Path, workdir: Path) -> None:
    real_site(samples, workdir, bounds=EDGE)
    content = safe_product.load(workdir)
    content["ingest"]["choice"] = {"unseen_max": 1.0}
    tiny.write_params(workdir, content)
    main([])
    table = workdir / "data/scene_choice.csv"
    table = table if table.exists() else workdir / "artifacts/ingest/scene_choice.csv"
    (row,) = read_rows(table, SceneChoiceRow)
    (image,) = (samples / "safe-l2a").rglob("*_SCL_60m.jp2")
    with rasterio.open(image) as dataset:
        window = rasterio.windows.from_bounds(*EDGE, dataset.transform)
        share = (dataset.read(1, window=window) != 0).mean()
    assert row.aoi_coverage == pytest.approx(share, abs=0.01)


def test_one_product_that_cannot_be_read_does_not_end_the_run(workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A product of 2017 without its name, a zip that is cut, one without a band: each is left out alone."""
    safe_product.make_site(workdir, ["2020-10-01"])
    source = workdir / "source"
    nameless = safe_product.write_product(source, "2020-10-06") / "MTD_MSIL2A.xml"
    nameless.write_text(nameless.read_text().replace("PRODUCT_URI>", "PRODUCT>"))
    next(safe_product.write_product(source, "2020-10-11").rglob("*_B11_20m.jp2")).unlink()
    (source / "S2A_MSIL2A_cut.zip").write_bytes(b"PK no zip")
    assert main([]) == 0
    assert only_scene(2020).info.day == dt.date(2020, 10, 1)
    words = capfd.readouterr().err
    assert words.count("the product is left out") == 3
    assert "the field PRODUCT_URI" in words or "no such field" in words


@pytest.mark.parametrize("band", ["B02_10m", "B11_20m"])
def test_a_product_whose_image_is_cut_short_gives_way_to_the_next(workdir: Path, band: str) -> None:
    """The choice reads the classification and the bands of snow; B02 is read when it has been made."""
    safe_product.make_site(workdir, ["2020-10-01", "2020-10-06", "2021-10-06"])
    tiny.write_params(workdir, safe_product.params(Path("source"), [2020, 2021], bands=("B02", "B03", "B11")))
    (image,) = (workdir / "source").glob(f"*20201001T*.SAFE/GRANULE/*/IMG_DATA/*/*{band}.jp2")
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    assert main([]) == 0
    assert [str(only_scene(year).info.day) for year in (2020, 2021)] == ["2020-10-06", "2021-10-06"]
    (reason,) = (row.reason for row in rows().values() if row.date == "2020-10-01")
    assert reason == f"an image of the product is truncated or damaged: {image.name}"


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_what_a_mac_leaves_is_not_data(workdir: Path, packed: bool) -> None:
    safe_product.make_site(workdir, ["2020-10-01"])
    assert main([]) == 0
    before = snapshot(workdir / "data")
    (safe,) = (workdir / "source").glob("*.SAFE")
    ghosts = [safe.parent / "__MACOSX" / safe.name / "MTD_MSIL2A.xml", safe / "._MTD_MSIL2A.xml", safe / ".DS_Store"]
    ghosts += [image.with_name(f"._{image.name}") for image in safe.rglob("*.jp2")]
    ghosts += [header.with_name(f"._{header.name}") for header in safe.rglob("MTD_TL.xml")]
    for ghost in ghosts:
        ghost.parent.mkdir(parents=True, exist_ok=True)
        ghost.write_bytes(b"Mac OS X")
    (safe.parent / f"._{safe.name}.zip").write_bytes(b"Mac OS X")
    if packed:
        with zipfile.ZipFile(safe.parent / f"{safe.stem}.zip", "w") as archive:
            for file in sorted(safe.parent.rglob("*")):
                if file.is_file() and file.suffix not in {".gpkg", ".zip"}:
                    archive.write(file, file.relative_to(safe.parent))
        shutil.rmtree(safe)
        shutil.rmtree(safe.parent / "__MACOSX")
    assert main([]) == 0
    assert snapshot(workdir / "data") == before


def test_a_product_made_locally_gives_way_to_one_of_esa(workdir: Path) -> None:
    safe_product.make_site(workdir, ["2020-10-01"])
    safe_product.write_product(workdir / "source", "2020-10-01", baseline="99.99", offset=None)
    assert main([]) == 0
    assert only_scene(2020).info.processing_baseline == "05.00"
