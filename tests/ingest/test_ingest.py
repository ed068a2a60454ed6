"""What `ingest` writes when all is well."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas
import pystac
import pytest

from sandbox import tiny
from stages.common.scene.store import read_scenes
from stages.ingest.ingest import main
from tests.ingest import spoil
from tests.ingest.run_ingest import ingest, pixels
from tests.ingest.test_refusals import snapshot


def test_the_same_sources_give_the_same_bytes_and_a_review_stays(site: Path) -> None:
    (site / "data/auxiliary/review.yaml").write_text("years: []\nnotes: []\n", encoding="utf-8")
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


@pytest.mark.parametrize("spelling", ["$MY_SCENES", "${MY_SCENES}"])
def test_paths_may_name_an_environment_variable(site: Path, monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    (site / "source").rename(site / "elsewhere")
    monkeypatch.setenv("MY_SCENES", str(site / "elsewhere"))
    before = snapshot(site / "data")
    text = (site / "params.yaml").read_text().replace("source/", f"{spelling}/")
    (site / "params.yaml").write_text(text)
    assert main([]) == 0
    assert snapshot(site / "data") == before


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


def test_a_cloudier_year_is_taken_where_the_parameter_permits_it(site: Path) -> None:
    ingest(site, spoil.quality(1, 1, 1, 0), spoil.setting({"unseen_max": 0.9}, "ingest", "choice"))
    assert read_scenes(Path("data/scenes/2020"))[0].cloud_mask is not None
