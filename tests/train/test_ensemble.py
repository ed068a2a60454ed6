"""The model that is used, from nets whose answers are known; in Keras, and in ONNX Runtime."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of third parties, while they load
    import keras

from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT, open_session, read_info
from stages.common.params.learning import TrainParams
from stages.common.tables.learning import AreaError
from stages.train.data import Patches, TrainingData
from stages.train.ensemble import Temperature, assemble, logits_of
from stages.train.fit import fit, fit_members
from stages.train.model import build_unet

SHAPE = (1, 64, 64, 3)


def net(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_unet(bands=3, mean=[0.0] * 3, std=[1.0] * 3, base=2, depth=1, stem="half")


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z.astype(np.float64)))


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p.astype(np.float64) / (1 - p))


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_logits_are_divided_by_the_temperature(temperature: float) -> None:
    single = net(1)
    z = logits_of(single)(noise()).numpy()
    assert np.allclose(assemble([single], temperature)(noise()), sigmoid(z / temperature), atol=1e-6)


def test_temperature_one_leaves_the_bits_as_they_are() -> None:
    single = net(1)
    assert np.array_equal(assemble([single], 1.0)(noise()), single(noise()))


def test_an_ensemble_is_the_mean_of_its_calibrated_members() -> None:
    nets = [net(1), net(2), net(3)]
    mean, members = (part.numpy() for part in assemble(nets, 1.7)(noise()))
    expected = [sigmoid(logits_of(member)(noise()).numpy() / 1.7) for member in nets]
    assert np.allclose(members, np.concatenate(expected, axis=-1), atol=1e-6)
    assert np.allclose(mean, np.mean(expected, axis=0), atol=1e-6)
    assert np.ptp(members, axis=-1).max() > 0.01


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves
@pytest.mark.parametrize("count", [1, 2])
def test_architecture_and_weights_give_the_same_model_back(tmp_path: Path, count: int) -> None:
    model = assemble([net(seed) for seed in range(count)], 0.6)
    model.save_weights(tmp_path / "model.weights.h5")
    assert '"temperature": 0.6' in json.dumps(json.loads(model.to_json()))
    again = keras.models.model_from_json(model.to_json())
    again.load_weights(tmp_path / "model.weights.h5")
    for before, after in zip(model.predict_on_batch(noise()), again.predict_on_batch(noise()), strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_that_is_not_positive_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Temperature(temperature=temperature)


def run(path: Path, output: str) -> np.ndarray:
    pixels = np.random.default_rng(0).uniform(0, 2, (2, 64, 64, 3)).astype(np.float32)  # keeps p off 0 and 1
    session = open_session(path, batch=2, height=64, width=64)
    return session.run([output], {"reflectance": pixels})[0]


def test_onnx_holds_the_temperature(onnx_model: Path, onnx_ensemble: Path) -> None:
    """The ensemble's first net is the single model's: half its logits, at temperature 2."""
    assert [read_info(path).temperature for path in (onnx_model, onnx_ensemble)] == [1.0, 2.0]
    single, first = run(onnx_model, OUTPUT), run(onnx_ensemble, MEMBERS_OUTPUT)[..., :1]
    exact = np.abs(single - 0.5) < 0.493  # logits below 5; beyond, float32 has too few digits left
    assert exact.sum() > 100
    assert np.allclose(2 * logit(first[exact]), logit(single[exact]), atol=1e-3)
    assert np.abs(logit(single[exact])).max() > 1


def test_onnx_gives_the_mean_and_the_members(onnx_ensemble: Path) -> None:
    members = run(onnx_ensemble, MEMBERS_OUTPUT)
    assert members.shape == (2, 64, 64, 2)
    assert np.allclose(run(onnx_ensemble, OUTPUT)[..., 0], members.mean(axis=-1), atol=1e-6)
    assert np.abs(members[..., 0] - members[..., 1]).max() > 1e-3


def test_metadata_say_what_the_card_says(onnx_ensemble: Path) -> None:
    info = read_info(onnx_ensemble)
    assert (info.members, info.threshold, info.threshold_rule) == (2, 0.5, "given")
    assert info.area_error == AreaError(blocks=4, dispersion=9.0, factor_68=1.5)


def data() -> TrainingData:
    """Four patches, bright where glacier is."""
    label = np.zeros((4, 16, 16), dtype=np.uint8)
    label[:, :, 8:] = 1
    image = np.repeat(label[..., None] * 100 + 50, 3, axis=-1).astype(np.uint8)
    place = np.zeros(4, dtype=np.int64)
    patches = Patches(image, label, np.ones_like(label), place, place, place)
    return TrainingData(
        train=patches, validation=patches, calibration=patches, shape=(16, 16), bands=["red", "green", "blue"],
        scale=1.0, offset=0.0, mean=[100.0] * 3, std=[50.0] * 3, md5="",
    )  # fmt: skip


def test_each_member_is_what_its_seed_gives_alone() -> None:
    params = TrainParams(
        epochs=1, steps_per_epoch=1, patience_epochs=1, batch_size=2, base_channels=2, depth=1, ema_momentum=0, seed=5
    )
    pair = fit_members(data(), params.model_copy(update={"members": 2}), size_px=16)
    alone = fit(data(), params.model_copy(update={"seed": 6}), size_px=16)
    assert [row.member for member in pair for row in member.history] == [1, 2]
    first, second = (member.model.get_weights() for member in pair)
    weights = alone.model.get_weights()
    assert all(map(np.array_equal, second, weights))
    assert not all(map(np.array_equal, first, weights))
