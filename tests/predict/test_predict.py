"""A scene on disk, mapped: edges included, invalid pixels stay nodata, bands are checked."""

from __future__ import annotations

import json
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import example, given
from hypothesis import strategies as st

from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.model.inference import read_info
from stages.common.model.mapping import Engine
from stages.common.run.outputs import write_json
from stages.common.run.records import read_document
from stages.common.tables.kinds import MAP_MODEL, MASK, PROBABILITY, VOTES
from stages.common.tables.learning import AreaError, MapModel
from stages.predict.predict import check_model_bands, map_model, map_scene, planes, to_votes

GRID = Grid("EPSG:32645", Affine(30, 0, 480_000, 0, -30, 3_100_000), 77, 131)


@pytest.fixture
def mapped(onnx_model: Path, tmp_path: Path) -> Path:
    return map_into(onnx_model, tmp_path)


def map_into(model: Path, tmp_path: Path, engine: Engine = "onnxruntime") -> Path:
    pixels = np.random.default_rng(0).integers(1, 255, (3, 77, 131), dtype=np.uint8)
    valid = np.ones((77, 131), dtype=np.uint8)
    valid[:10, :20] = 0
    write_cog(tmp_path / "scene.tif", pixels, GRID, nodata=None, bands=["red", "green", "blue"])
    write_cog(tmp_path / "valid.tif", valid, GRID, nodata=None)
    map_scene(read_info(model), tmp_path / "scene.tif", tmp_path / "valid.tif", tmp_path, engine=engine)
    return tmp_path


@pytest.mark.usefixtures("openvino_installed")
def test_openvino_gives_the_same_mask_and_its_name(onnx_ensemble: Path, tmp_path: Path) -> None:
    masks, engines = [], []
    for engine in ("onnxruntime", "openvino"):
        folder = tmp_path / engine
        folder.mkdir()
        map_into(onnx_ensemble, folder, engine)
        with rasterio.open(folder / "mask.tif") as mask, rasterio.open(folder / "votes.tif") as votes:
            masks.append(np.stack([mask.read(1), votes.read(1)]))
        write_json(folder / "model.json", map_model(read_info(onnx_ensemble), engine))
        engines.append(json.loads((folder / "model.json").read_text()).get("engine"))
    assert np.array_equal(*masks)
    assert engines == [None, f"openvino {metadata.version('openvino')}"]


def test_outputs_keep_their_contract_and_the_grid(mapped: Path) -> None:
    PROBABILITY.check(mapped / "probability.tif")
    MASK.check(mapped / "mask.tif")
    with rasterio.open(mapped / "mask.tif") as dataset:
        assert (dataset.height, dataset.width, dataset.transform) == (77, 131, GRID.transform)
    assert not list(mapped.glob("*.plain.tif"))
    assert not (mapped / "votes.tif").exists()  # of one net


def test_an_ensemble_votes(onnx_ensemble: Path, tmp_path: Path) -> None:
    folder = map_into(onnx_ensemble, tmp_path)
    VOTES.check(folder / "votes.tif")
    with rasterio.open(folder / "votes.tif") as v, rasterio.open(folder / "mask.tif") as m:
        votes, mask = v.read(1), m.read(1)
    assert set(np.unique(votes)) <= {0, 1, 2, 3}
    assert {1, 2} & set(np.unique(votes)), "the nets must differ somewhere"
    assert (votes[mask == 255] == 0).all()
    assert (mask[votes == 3] == 1).all() and (mask[(votes == 0) & (mask != 255)] == 0).all()


def test_votes_are_bits() -> None:
    members = np.array([[[0.9, 0.1, 0.5], [0.9, 0.9, 0.9]]], dtype=np.float32)
    assert to_votes(members, np.array([[True, False]]), 0.5).tolist() == [[0b101, 0]]
    sixteen = np.zeros((1, 1, 16), dtype=np.float32)
    sixteen[..., 15] = 1
    assert to_votes(sixteen, np.ones((1, 1), dtype=bool), 0.5).tolist() == [[2**15]]


def test_the_map_says_what_its_model_says_of_itself(onnx_ensemble: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "model.json", map_model(read_info(onnx_ensemble)))
    MAP_MODEL.check(tmp_path / "model.json")
    document = read_document(tmp_path / "model.json", MapModel)
    assert (document.members, document.temperature, document.threshold, document.threshold_rule) == (
        2,
        2.0,
        0.5,
        "given",
    )
    assert document.area_error == AreaError(blocks=4, dispersion=9.0, factor_68=1.5)


def test_invalid_pixels_stay_nodata_and_all_others_have_a_value(mapped: Path) -> None:
    with rasterio.open(mapped / "probability.tif") as p, rasterio.open(mapped / "mask.tif") as m:
        probability, mask = p.read(1), m.read(1)
    unseen = np.zeros((77, 131), dtype=bool)
    unseen[:10, :20] = True
    assert (probability[unseen] == 65535).all() and (mask[unseen] == 255).all()
    assert (probability[~unseen] <= 10_000).all() and (mask[~unseen] <= 1).all()
    assert ((probability >= 5000) == (mask == 1))[~unseen].all()


def test_same_bytes_again(mapped: Path, onnx_model: Path) -> None:
    before = {name: (mapped / name).read_bytes() for name in ("probability.tif", "mask.tif")}
    map_scene(read_info(onnx_model), mapped / "scene.tif", mapped / "valid.tif", mapped)
    assert before == {name: (mapped / name).read_bytes() for name in before}


class WatchedDataset:
    """A dataset that notes which threads use it."""

    def __init__(self, dataset: Any, threads: set[int]) -> None:
        self._dataset, self._threads = dataset, threads

    def __getattr__(self, name: str) -> Any:
        self._threads.add(threading.get_ident())
        return getattr(self._dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        (super() if name.startswith("_") else self._dataset).__setattr__(name, value)

    def __enter__(self) -> WatchedDataset:
        self._dataset.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._dataset.__exit__(*error)


def test_no_dataset_is_used_by_two_threads(onnx_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL's handles are not for two threads: a shared one reads wrong pixels without a word."""
    open_dataset, users = rasterio.open, []

    def open_watched(*arguments: Any, **options: Any) -> WatchedDataset:
        users.append(set())
        return WatchedDataset(open_dataset(*arguments, **options), users[-1])

    monkeypatch.setattr(rasterio, "open", open_watched)
    map_into(onnx_model, tmp_path)
    assert len(set.union(*users)) == 2, "the reading thread and the writing one"
    assert max(map(len, users)) == 1


def test_bands_in_another_order_are_refused(onnx_model: Path) -> None:
    with pytest.raises(ContractError, match="bands are not the model's") as caught:
        check_model_bands(read_info(onnx_model), ("blue", "green", "red"), Path("scene.tif"))
    assert "red, green, blue" in str(caught.value)


@given(value=st.floats(0, 1, width=32), threshold=st.integers(1, 9999))
@example(value=0.79996, threshold=8000)
def test_mask_and_votes_say_what_the_stored_probability_says(value: float, threshold: int) -> None:
    probability, observed = np.full((1, 1, 1), value, dtype=np.float32), np.ones((1, 1), dtype=bool)
    stored, mask, votes = planes([probability, probability], observed, threshold / 10_000)
    assert mask[0, 0] == votes[0, 0] == (stored[0, 0] >= threshold)
