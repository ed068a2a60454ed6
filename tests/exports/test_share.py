"""What others read without this project: known areas, names and types, and the standards' own tools."""

from __future__ import annotations

import contextlib
import csv
import importlib
import json
import shutil
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet
import pytest
import rasterio
import yaml

from exports import share as command
from exports.elsewhere import metadata, overlap_px, tile_px
from exports.finished import read_finished
from exports.prov import document
from exports.rgi import COLUMNS, region_of
from exports.stac import software
from exports.tables import CONTRACTS
from review.record import REVIEW, version_of
from sandbox import tiny
from stages.common.model.inference import read_info
from stages.common.run.artefacts import Table
from stages.common.run.outputs import write_json
from stages.common.tables.learning import MapModel
from stages.predict.predict import map_scene
from tests.exports import network, tools
from tests.report.report_inputs import KM2, NINE_YEARS, ice

LOCK = {
    "stages": {
        "area": {
            "cmd": "docker/run python -m stages.area",
            "deps": [{"path": "artifacts/predict/2015", "md5": "1" * 32}],
            "outs": [{"path": "artifacts/area", "md5": "2" * 32}],
        }
    }
}


@pytest.fixture(scope="module")
def shared(finished_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is shared of the site; tests read it."""
    folder = tmp_path_factory.mktemp("shared") / "site"
    shutil.copytree(finished_site, folder)
    network.write_network(folder / "artifacts/train/model.onnx", tiny.BANDS)
    (folder / "dvc.lock").write_text(yaml.safe_dump(LOCK))
    with contextlib.chdir(folder):
        assert command.main() == 0
    return folder / "share"


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_an_item_a_year_with_the_area_and_the_files(shared: Path) -> None:
    collection = read(shared / "collection.json")
    hrefs = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert hrefs == [f"./tiny-{year}/tiny-{year}.json" for year in NINE_YEARS]
    assert collection["extent"]["temporal"]["interval"] == [["2015-10-15T00:00:00Z", "2024-10-15T23:59:59Z"]]
    assert [provider["name"] for provider in collection["providers"]] == ["ESA (Copernicus)", "University of Example"]
    item = read(shared / "tiny-2015/tiny-2015.json")
    assert item["properties"]["glacier:area_km2"] == pytest.approx(ice(0).sum() * KM2)
    assert item["properties"]["glacier:caveats"] == ["Nobody has reviewed these maps."]
    assert item["properties"]["proj:code"] == tiny.CRS
    for asset in item["assets"].values():
        assert (shared / "tiny-2015" / asset["href"]).is_file()


def test_an_item_says_which_other_engine_mapped(shared: Path, site: Path) -> None:
    assert read(next(shared.glob("*/*-2016.json")))["properties"]["processing:software"] == {"glacier-area": "0.1.0"}
    model = MapModel(threshold=0.5, threshold_rule="given", temperature=1, members=1, engine="openvino 2026.4.1")
    write_json(site / "artifacts/predict/2016/model.json", model)
    assert software(read_finished(site), 2016) == {"glacier-area": "0.1.0", "openvino": "2026.4.1"}


def test_outlines_have_the_columns_of_rgi_7_in_both_formats(shared: Path) -> None:
    assert len(COLUMNS) == 28
    packed = geopandas.read_file(shared / "tiny-2015/outlines.gpkg")
    frame = geopandas.read_parquet(shared / "tiny-2015/outlines.parquet")
    assert list(packed.columns) == list(frame.columns) == [*COLUMNS, "geometry"]
    row = frame.iloc[0]
    assert (row["rgi_id"], row["o1region"], row["utm_zone"], row["is_rgi6"]) == ("RGI60-15.00001", "15", 44, 0)
    assert frame.geometry.area.sum() / 1e6 == pytest.approx(ice(0).sum() * KM2)
    assert frame.crs.to_string() == tiny.CRS
    assert frame["term_type"].isna().all()
    geo = json.loads(pyarrow.parquet.read_schema(shared / "tiny-2015/outlines.parquet").metadata[b"geo"])
    assert (geo["version"].split(".")[0], geo["primary_column"]) == ("1", "geometry")


@pytest.mark.parametrize(
    ("rgi_id", "region"),
    [("RGI60-15.03733", "15"), ("RGI2000-v7.0-G-06-00123", "06"), ("unassigned", None), ("TWIN-0001-001", None)],
)
def test_regions_of_ids(rgi_id: str, region: str | None) -> None:
    assert region_of(rgi_id) == region


def test_tables_have_the_schemas_of_their_contracts(shared: Path) -> None:
    package = read(shared / "tables/datapackage.json")
    names = {entry["path"] for entry in package["resources"]}
    assert names == {path.relative_to(shared / "tables").as_posix() for path in (shared / "tables").rglob("*.csv")}
    assert {"area/glacier_area_by_year.csv", "train/history.csv", "evaluate/glacier_scores.csv"} <= names
    for entry in package["resources"]:
        with (shared / "tables" / entry["path"]).open(newline="") as stream:
            assert next(csv.reader(stream)) == [field["name"] for field in entry["schema"]["fields"]]
    (areas,) = (entry for entry in package["resources"] if entry["path"] == "area/glacier_area_by_year.csv")
    field = next(field for field in areas["schema"]["fields"] if field["name"] == "valid_fraction")
    assert field["constraints"] == {"minimum": 0, "maximum": 1, "required": True}


def test_every_contract_with_a_table_is_among_them() -> None:
    modules = [f"stages.{path.parent.name}.contract" for path in (tiny.ROOT / "stages").glob("*/contract.py")]
    contracts = [importlib.import_module(module).CONTRACT for module in modules]
    with_tables = {
        contract.stage for contract in contracts if any(isinstance(kind, Table) for kind in contract.outputs.values())
    }
    assert with_tables | {"crossval"} == set(CONTRACTS)


def test_provenance_says_what_the_stages_read_and_wrote(shared: Path) -> None:
    content = read(shared / "prov.json")
    assert content["entity"]["glacier:file/artifacts/area"]["glacier:md5"] == "2" * 32
    (used,) = content["used"].values()
    assert used == {"prov:entity": "glacier:file/artifacts/predict/2015", "prov:activity": "glacier:stage/area"}
    assert len(content["wasDerivedFrom"]) == len(NINE_YEARS)
    assert content["wasAttributedTo"]["_:attributed0"]["prov:agent"] == "glacier:agent/Ada_20_Example"


def test_without_a_lock_or_a_contact_provenance_has_the_images_alone(finished_site: Path) -> None:
    site = read_finished(finished_site)
    nobody = site.params.model_copy(update={"site": site.params.site.model_copy(update={"contact": None})})
    content = document(type(site)(**vars(site) | {"params": nobody}), {}, [])
    assert sorted(content) == ["entity", "prefix", "wasDerivedFrom"]


def test_the_model_s_item_says_what_goes_in_and_comes_out(shared: Path) -> None:
    properties = read(shared / "model/model.json")["properties"]
    (entry,), (result,) = properties["mlm:input"], properties["mlm:output"]
    assert entry["input"] == {
        "shape": [-1, -1, -1, 3], "dim_order": ["batch", "height", "width", "channel"], "data_type": "float32",
    }  # fmt: skip
    assert (entry["bands"], result["name"]) == (tiny.BANDS, "glacier")
    assert properties["mlm:hyperparameters"]["threshold"] == network.THRESHOLD


def test_a_rejected_map_is_said(site: Path) -> None:
    rows = [
        {
            "year": year, "decision": "reject" if year == 2016 else "accept", "by": "Ada Example",
            "at": "2026-01-01T12:00:00Z", "maps": version_of(site, year),
        }
        for year in NINE_YEARS
    ]  # fmt: skip
    REVIEW.parent.mkdir(parents=True, exist_ok=True)
    glacier = rows[2] | {"decision": "reject", "rgi_id": "RGI60-15.00001"}
    REVIEW.write_text(yaml.safe_dump({"years": rows, "notes": [glacier]}))
    network.write_network(Path("artifacts/train/model.onnx"), tiny.BANDS)
    assert command.main() == 0
    item = read(Path("share/tiny-2015/tiny-2015.json"))
    assert item["properties"]["glacier:caveats"] == [
        "A person has rejected the map of 2016.", "A person has rejected the outline of RGI60-15.00001 in 2017.",
    ]  # fmt: skip


def test_a_model_that_cannot_be_used_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "artifacts/train/model.onnx").write_bytes(b"no model")
    assert command.main() == 2
    assert "model" in capsys.readouterr().err
    assert not (site / "share").exists()


def test_tiles_and_their_steps_are_multiples_of_the_stride(shared: Path) -> None:
    info = read_info(shared / "model/model.onnx")
    assert (tile_px(info), overlap_px(info)) == (512, 24)
    entries = metadata(info, pixel_size_m=30)
    assert int(512 * float(json.loads(entries["tiles_overlap"])) / 100) == 24
    assert json.loads(entries["model_type"]) == "Segmentor"
    assert json.loads(entries["resolution"]) == 3000


@pytest.mark.formats
def test_all_stac_files_are_valid(shared: Path) -> None:
    tools.check_stac(shared / "collection.json", *sorted(shared.glob("*/*-*.json")), shared / "model/model.json")


@pytest.mark.formats
def test_the_validator_refuses_what_is_not_valid(shared: Path, tmp_path: Path) -> None:
    content = read(shared / "model/model.json")
    del content["properties"]["mlm:input"]
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(AssertionError, match="mlm:input"):
        tools.check_stac(tmp_path / "model.json")


@pytest.mark.formats
def test_outlines_are_valid_geoparquet(shared: Path, tmp_path: Path) -> None:
    (path,) = shared.glob("tiny-2015/outlines.parquet")
    tools.check_geoparquet(path)
    geopandas.read_parquet(path).to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(AssertionError, match="needs a bbox covering column"):
        tools.check_geoparquet(tmp_path / "plain.parquet")


@pytest.mark.formats
def test_the_tables_are_a_valid_data_package(shared: Path) -> None:
    tools.check_data_package(shared / "tables/datapackage.json")


@pytest.mark.formats
def test_the_provenance_is_valid_prov(shared: Path) -> None:
    content = read(shared / "prov.json")
    records = sum(len(part) for key, part in content.items() if key != "prefix")
    assert tools.check_prov(shared / "prov.json") == records


@pytest.mark.formats
def test_geodeep_maps_a_scene_as_predict_does(shared: Path, tmp_path: Path) -> None:
    """Four tiles of 512 px that overlap; the margin where black stands for nothing is left aside."""
    side, margin = 1000, 2 * network.RADIUS_PX
    row, column = np.indices((side, side))
    ice_there = np.hypot(row - 480, column - 520) < 330 + 40 * np.sin(np.arctan2(row - 480, column - 520) * 5)
    noise = np.random.default_rng(3).normal(0, 15, (3, side, side))
    pixels = np.clip(np.where(ice_there, 190, 100) + noise, 1, 255).astype(np.uint8)
    scene = tiny.write_scene(tmp_path / "scene.tif", pixels)
    tiny.write_scene(tmp_path / "valid.tif", np.ones((1, side, side), dtype=np.uint8))
    with rasterio.open(scene, "r+") as dataset:
        dataset.descriptions = tuple(tiny.BANDS)
    map_scene(read_info(shared / "model/model.onnx"), scene, tmp_path / "valid.tif", tmp_path)
    with rasterio.open(tmp_path / "mask.tif") as dataset:
        mask = dataset.read(1)
    mapped, smoothed = tools.geodeep(scene, shared / "model/model_nchw.onnx", mask, tmp_path)
    inside = np.s_[margin:-margin, margin:-margin]
    both, either = ((mapped & smoothed)[inside] == 1).sum(), ((mapped | smoothed)[inside] == 1).sum()
    assert 0.2 < mask.mean() < 0.6
    assert both / either >= 0.999
