"""A training from an initial model starts with that model's answers; what does not fit is refused."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of third parties, while they load
    import keras

from stages.common.errors import ContractError
from stages.common.params.learning import TrainParams
from stages.common.run.outputs import write_json
from stages.common.tables.learning import ModelCard
from stages.train.beyond.initial_model import read_initial_model
from stages.train.data import Patches, TrainingData
from stages.train.ensemble import assemble
from stages.train.fit import first_net, validation_iou
from stages.train.model import build_unet

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

PARAMS = TrainParams(batch_size=2, base_channels=2, depth=1)


def data(**changes: Any) -> TrainingData:
    """Four patches, bright where glacier is."""
    label = np.zeros((4, 16, 16), dtype=np.uint8)
    label[:, :, 8:] = 1
    image = np.random.default_rng(0).integers(1, 255, (4, 16, 16, 3)).astype(np.uint8)
    place = np.zeros(4, dtype=np.int64)
    patches = Patches(image, label, np.ones_like(label), place, place, place)
    base = {
        "train": patches, "validation": patches, "calibration": patches, "shape": (16, 16), "scale": 1.0, "offset": 0.0,
        "bands": ["red", "green", "blue"], "mean": [100.0] * 3, "std": [50.0] * 3, "md5": "",
    }  # fmt: skip
    return TrainingData(**(base | changes))


def write_model(folder: Path, *, members: int = 1, mean: float = 120.0, std: float = 40.0) -> list[keras.Model]:
    """Write what `train` writes of a model, and return its nets."""
    nets = []
    for seed in range(members):
        keras.utils.set_random_seed(seed + 10)
        nets.append(build_unet(bands=3, mean=[mean] * 3, std=[std] * 3, base=2, depth=1, stem="half"))
    model = assemble(nets, 0.7)
    model.save_weights(folder / "model.weights.h5")
    (folder / "architecture.json").write_text(model.to_json())
    card = ModelCard(
        bands=["red", "green", "blue"], scale=1.0, offset=0.0, threshold=0.5, stride_px=4, receptive_field_radius_px=9,
        parameters=1, training_years=[2020], data_md5="", members=members, best_epoch=1, val_iou=0.5,
        onnx_max_difference=0, tensorflow="", keras="", intra_op_threads=1, instruction_set="", device="CPU",
    )  # fmt: skip
    write_json(folder / "model_card.json", card)
    return nets


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    folder = tmp_path_factory.mktemp("model")
    return folder, *write_model(folder)


@pytest.fixture
def folder(made: tuple[Path, keras.Model], tmp_path: Path) -> Path:
    """A model as `train` writes it, to spoil."""
    return Path(shutil.copytree(made[0], tmp_path / "start"))


def test_a_training_starts_with_the_answers_and_the_score_of_its_initial_model(
    folder: Path, made: tuple[Path, keras.Model]
) -> None:
    net = first_net(data(), PARAMS, 1, read_initial_model(folder, data(), PARAMS))
    pixels = data().validation.image.astype(np.float32)
    probability = made[1].predict_on_batch(pixels)
    assert np.array_equal(net.predict_on_batch(pixels), probability)
    mapped, ice = probability[..., 0] >= 0.5, data().validation.label == 1
    iou = (mapped & ice).sum() / (mapped | ice).sum()
    assert 0.05 < iou < 0.95
    assert validation_iou(net, data(), PARAMS) == pytest.approx(iou, abs=1e-6)


def test_members_start_from_the_nets_of_an_ensemble_in_turn(tmp_path: Path) -> None:
    nets = write_model(tmp_path, members=2)
    initial = read_initial_model(tmp_path, data(), PARAMS)
    for number, net in enumerate([*nets, nets[0]], start=1):
        assert all(map(np.array_equal, initial.of_member(number), net.get_weights()))


@pytest.mark.parametrize(
    ("changes", "params", "expected", "found"),
    [
        pytest.param({}, {"base_channels": 4}, "base_channels 4", "base_channels 2", id="width"),
        pytest.param({}, {"depth": 2}, "depth 2", "depth 1", id="depth"),
        pytest.param({}, {"stem": "full"}, "stem full", "stem half", id="stem"),
        pytest.param({"bands": ["red"]}, {}, "bands ['red']", "bands ['red', 'green', 'blue']", id="bands"),
        pytest.param({"scale": 1e-4}, {}, "scale 0.0001", "scale 1.0", id="scale"),
        pytest.param({"offset": -0.1}, {}, "offset -0.1", "offset 0.0", id="offset"),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_is_refused_with_what_differs(
    changes: dict[str, Any], params: dict[str, Any], expected: str, found: str, folder: Path
) -> None:
    with pytest.raises(ContractError, match="does not fit this training") as caught:
        read_initial_model(folder, data(**changes), PARAMS.model_copy(update=params))
    assert (caught.value.expected, caught.value.found) == (expected, found)


def other_weights(folder: Path) -> None:
    keras.utils.set_random_seed(1)
    net = build_unet(bands=3, mean=[0.0] * 3, std=[1.0] * 3, base=4, depth=1, stem="half")
    net.save_weights(folder / "model.weights.h5")


def without_normalisation(folder: Path) -> None:
    path = folder / "architecture.json"
    path.write_text(path.read_text().replace("NormaliseWithValidity", "Other"))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda folder: (folder / "model.weights.h5").unlink(), id="no weights"),
        pytest.param(lambda folder: (folder / "model.weights.h5").write_bytes(b"\x89HDF and no more"), id="cut short"),
        pytest.param(lambda folder: (folder / "architecture.json").write_text("{"), id="no architecture"),
        pytest.param(other_weights, id="weights of another model"),
        pytest.param(without_normalisation, id="no normalisation"),
    ],
)
def test_a_damaged_model_is_refused(spoil: Any, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(ContractError) as caught:
        read_initial_model(folder, data(), PARAMS)
    assert caught.value.fix
    assert json.loads((folder / "model_card.json").read_text())["members"] == 1
