"""Scenes from a real STAC server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import rasterio.windows
from shapely.geometry import Point, box

from sandbox import stac_site, tiny
from sandbox.stac_server import S3_KEY, Server
from stages.common import settings
from stages.common.params.ingest import SeasonParams
from stages.common.run.records import read_rows
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import Scene
from stages.common.scene.store import read_scenes
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.ingest import main
from stages.ingest.region import Region
from stages.ingest.sources.stac import search as stac_search
from stages.ingest.sources.stac.cache import READ_CACHE
from stages.ingest.sources.stac.items import parse_item
from stages.ingest.sources.stac.profiles import PROFILES
from tests.ingest.candidates import GRID
from tests.ingest.test_refusals import snapshot
from tests.stac import catalogue
from tests.stac.served_site import only_scene, ready, refused, rows

pytestmark = [pytest.mark.enable_socket, pytest.mark.stac_server]


class TestGood:
    """A server that behaves."""

    def test_the_best_date_of_each_year_is_stored(self, server: Server, workdir: Path) -> None:
        ready(server, workdir)
        assert main([]) == 0
        assert [str(only_scene(year).info.day) for year in (2020, 2021)] == ["2020-10-06", "2021-10-06"]
        table = rows()
        assert table["2020-10-01"].cloud_over_glacier == 1.0
        assert (table["2020-10-16"].off_glacier_snow or 0) > 0.1
        assert not READ_CACHE.exists()

    def test_pixels_and_what_is_known_arrive_as_they_are(self, server: Server, workdir: Path) -> None:
        ready(server, workdir)
        assert main([]) == 0
        scene = only_scene(2020)
        info = scene.info
        assert (info.relative_orbit, info.tile, info.processing_baseline) == (5, "44RLV", "05.00")
        assert (info.sun_elevation_deg, info.platform, info.processing_level) == (49.5, "sentinel-2a", "L2A")
        assert info.product == "S2A_MSIL2A_20201006T052641_N0500_R005_T44RLV_20201006T101010.SAFE"
        assert calibration_of(scene, "B02").offset == -0.1
        assert scene.scl is not None
        with rasterio.open(scene.bands["B11"].path) as dataset:
            assert (dataset.read(1) == 3500).all()

    def test_the_same_catalogue_gives_the_same_bytes(self, server: Server, workdir: Path) -> None:
        ready(server, workdir)
        assert main([]) == 0
        before = snapshot(workdir / "data")
        shutil.rmtree(workdir / "data")
        assert main([]) == 0
        assert snapshot(workdir / "data") == before
        for name, content in before.items():
            assert b"127.0.0.1" not in content, name

    def test_only_the_blocks_of_the_site_are_read(self, server: Server, workdir: Path) -> None:
        """Of a file 12 times as wide as the site; the whole of a full-size tile is in bench/ingest.py."""
        ready(server, workdir)
        noise = np.random.default_rng(0).integers(1, 9000, (2048, 2048)).astype(np.uint16)
        path = next((server.folder / "scenes").glob("*20201006*/B02.tif"))
        catalogue.write_cog(path, noise, left=tiny.LEFT)
        assert main([]) == 0
        block = 512 * 512 * 2
        assert server.bytes_sent(f"{path.parent.name}/B02.tif") < 1.3 * block
        with rasterio.open(only_scene(2020).bands["B02"].path) as dataset:
            assert (dataset.read(1) == noise[:164, :164]).all()

    def test_many_items_come_in_pages(self, server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stac_search, "PAGE_ITEMS", 1)
        ready(server, workdir)
        assert main([]) == 0
        assert len(rows()) == 4

    def test_tiles_of_a_day_and_a_newer_processing_are_sorted_out(self, server: Server, workdir: Path) -> None:
        half = np.full((160, 160), 5, np.uint8)
        half[:, 80:] = 0
        scenes = workdir / "scenes"
        catalogue.write_scene(scenes, "2020-10-06", scl=half, tile="44RKV")
        catalogue.write_scene(scenes, "2020-10-06", left=tiny.LEFT + 80 * tiny.PIXEL_M, tile="44RLV")
        catalogue.write_scene(scenes, "2020-10-06", tile="44RKV", baseline="02.14", time="052640")
        catalogue.publish(server, scenes, "earth-search-c1")
        stac_site.make_site(workdir, stac_site.params(server, "earth-search-c1", [2020]))
        main([])
        table = workdir / "data/scene_choice.csv"
        rows_of_choice = read_rows(table, SceneChoiceRow)
        assert [row.taken for row in rows_of_choice] == [True, True, False]
        assert rows_of_choice[0].aoi_coverage == 1.0
        assert rows_of_choice[2].reason == "the same tile and day exist at baseline 05.00"

    @pytest.mark.parametrize(
        ("profile", "properties", "offset"),
        [
            ("earth-search-c1", {}, -0.1),
            ("earth-search", {"earthsearch:boa_offset_applied": True}, 0.0),
            ("earth-search", {"earthsearch:boa_offset_applied": False}, -0.1),
            ("planetary-computer", {}, -0.1),
        ],
    )
    def test_each_catalogue_has_its_own_offset(
        self, server: Server, workdir: Path, profile: str, properties: dict[str, Any], offset: float
    ) -> None:
        catalogue.write_scene(workdir / "scenes", "2020-10-06", **properties)
        catalogue.publish(
            server, workdir / "scenes", profile, under="signed" if profile == "planetary-computer" else "files"
        )
        content = stac_site.params(server, profile, [2020], token_url=f"{server.api}/token")
        stac_site.make_site(workdir, content)
        assert main([]) == 0
        assert calibration_of(only_scene(2020), "B04").offset == offset


class TestOtherCatalogues:
    """Items that no test made."""

    def test_the_scenes_of_the_twin_arrive_as_they_were(
        self, server: Server, workdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = twin_params([2019, 2022])
        tiny.write_params(workdir, content)
        assert main([]) == 0
        (workdir / "data").rename(workdir / "twin")
        catalogue.publish(server, workdir / "twin/scenes", "copernicus-dataspace", under="eodata")
        with_keys(server, monkeypatch)
        read = stac_site.params(server, "copernicus-dataspace", [2019, 2022])["ingest"] | {
            "outlines": {"path": "twin/outlines.gpkg"}, "season": None, "aoi": content["ingest"]["aoi"],
        }  # fmt: skip
        # As if it were real: the server's pixels are what counts here.
        tiny.write_params(workdir, content | {"ingest": read, "site": content["site"] | {"simulated": False}})
        assert main([]) == 0
        for year in (2019, 2022):
            for first, second in zip(read_scenes(Path(f"data/scenes/{year}")), read_scenes(Path(f"twin/scenes/{year}")),
                                    strict=True):  # fmt: skip
                assert first.info.processing_baseline == second.info.processing_baseline
                for name in content["prepare"]["bands"]:
                    assert (overlap(first, second, name) == 0).all()
                    assert calibration_of(first, name) == calibration_of(second, name)

    def test_real_items_are_found_by_place_and_season(self, server: Server, samples: Path) -> None:
        paths = [*(samples / "stac-items").glob("earth-search-v1*"), *(samples / "cog-l2a").glob("*.json")]
        server.load("sentinel-2-l2a", [json.loads(path.read_text()) for path in paths])
        aoi = geopandas.GeoDataFrame(geometry=[box(48.5, 18.2, 48.7, 18.4)], crs="EPSG:4326")
        search_region = Region(grid=GRID, aoi=aoi)
        items = stac_search.search(
            server.api,
            "sentinel-2-l2a",
            search_region,
            years=[2020, 2023],
            season=SeasonParams(first="06-25", last="12-31"),
            private=True,
        )
        assert [item["id"] for item in items] == ["S2A_39QTA_20230628_0_L2A"]
        info = parse_item(items[0], PROFILES["earth-search"], ["B02", "scl"]).info
        assert (info.boa_offset_applied, info.processing_baseline) == (True, "05.09")

    def test_a_real_scene_arrives_pixel_by_pixel(self, server: Server, whole_samples: Path, workdir: Path) -> None:
        item = json.loads((whole_samples / "cog-l2a/S2A_29RKH_20200219_0_L2A.json").read_text())
        (server.folder / "cogs").mkdir()
        for file in (whole_samples / "cog-l2a").glob("*.tif"):
            shutil.copy(file, server.folder / "cogs")
        for asset in item["assets"].values():
            asset["href"] = f"{server.files}/files/cogs/{Path(asset['href']).name}"
        server.load("sentinel-2-l2a", [item])
        with rasterio.open(whole_samples / "cog-l2a/B02.tif") as whole:
            x, y = whole.transform @ (whole.width // 2, whole.height // 2)
            expected = whole.read(1)
            to_pixel = ~whole.transform
        content = stac_site.params(server, "earth-search", [2020])
        content["ingest"] |= {"season": None, "aoi": {"bounds": [x, y - 9000, x + 9000, y], "crs": "EPSG:32629"}}
        content["grid"] = {"crs": "EPSG:32629", "pixel_size_m": 60.0}
        (workdir / "source").mkdir()
        disc = geopandas.GeoDataFrame(
            {"RGIId": ["a"]}, geometry=[Point(x + 4500, y - 4500).buffer(2000)], crs="EPSG:32629"
        )
        disc.to_file(workdir / "source/outlines.gpkg")
        tiny.write_params(workdir, content)
        assert main([]) == 0
        scene = only_scene(2020)
        assert (scene.info.processing_baseline, scene.info.tile, scene.info.relative_orbit) == ("02.14", "29RKH", 37)
        assert calibration_of(scene, "B11").offset == 0.0
        with rasterio.open(scene.bands["B02"].path) as dataset:
            pixels = dataset.read(1)
            column, row = (round(value) for value in to_pixel @ (dataset.transform.c, dataset.transform.f))
        assert (pixels == expected[row : row + pixels.shape[0], column : column + pixels.shape[1]]).all()


def twin_params(years: list[int]) -> dict[str, Any]:
    """A small simulated site."""
    content = tiny.params(Path("source"), years)
    content["site"]["simulated"] = True
    content["ingest"] = {"source": "twin", "aoi": {"bounds": [79.03, 30.90, 79.08, 30.94]}}
    content["grid"] = {"crs": "EPSG:32644", "pixel_size_m": 20}
    content["prepare"] = {"bands": ["B02", "B03", "B04", "B11"], "storage": "sentinel2"}
    content["report"] = {"rgb": ["B04", "B03", "B02"]}
    return content


def overlap(first: Scene, second: Scene, name: str) -> np.ndarray:
    """Difference of a band where both have it: the second may reach further."""
    with rasterio.open(first.bands[name].path) as first_band, rasterio.open(second.bands[name].path) as second_band:
        window = rasterio.windows.from_bounds(*first_band.bounds, transform=second_band.transform)
        return np.asarray(first_band.read(1).astype(int) - second_band.read(1, window=window, boundless=True))


def with_keys(server: Server, monkeypatch: pytest.MonkeyPatch, key: str = S3_KEY) -> None:
    monkeypatch.setenv(settings.S3_ENDPOINT, server.files)
    monkeypatch.setenv(settings.S3_ACCESS_KEY, key)
    monkeypatch.setenv(settings.S3_SECRET_KEY, "secret-of-the-test")


class TestS3:
    """Files on S3 with keys, as at the Copernicus Data Space. nginx checks the key and not the signature."""

    def ready(self, server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch, *, key: str = S3_KEY) -> None:
        ready(server, workdir, profile="copernicus-dataspace", under="eodata")
        with_keys(server, monkeypatch, key)

    def test_keys_come_from_the_environment_and_go_nowhere(
        self, server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.ready(server, workdir, monkeypatch)
        monkeypatch.setenv(settings.LOG_LEVEL, "DEBUG")
        assert main([]) == 0
        assert only_scene(2020).info.processing_baseline == "05.00"
        assert calibration_of(only_scene(2020), "B02").offset == -0.1
        message_text = capfd.readouterr()
        for secret in ("secret-of-the-test", S3_KEY):
            assert secret not in message_text.err + message_text.out
            for name, content in snapshot(workdir / "data").items():
                assert secret.encode() not in content, name

    def test_wrong_keys_are_an_error(
        self, server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.ready(server, workdir, monkeypatch, key="another")
        refused("the server refuses a file", capfd)

    def test_no_keys_are_an_error(
        self, server: Server, workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.ready(server, workdir, monkeypatch)
        monkeypatch.delenv(settings.S3_SECRET_KEY)
        refused("the catalogue's files need access keys", capfd)
