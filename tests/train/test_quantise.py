"""The int8 graph: what is rounded, what stays, and that a damaged one is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sandbox.mountains import bright_model
from stages.common.errors import ContractError
from stages.common.model.inference import OUTPUT, open_session, read_info
from stages.common.model.precision import INT8_GRAPH, INT8_REFUSED, graph_at
from stages.common.params.learning import PatchesParams
from stages.common.run.onnx_file import check_onnx, read_metadata
from stages.common.tables.learning import Calibrated, Int8Check
from stages.train import quantise as module
from stages.train.data import Patches, TrainingData
from stages.train.quantise import add_int8, judge, quantise

SIDE = 32
PARAMS = PatchesParams(block_rows_px=SIDE, block_columns_px=SIDE)
"""Blocks of one patch: of a grid of two by two, that at the top right belongs to the validation fold."""


def net(middle: np.ndarray, *, middle_bias: float = 0.0) -> onnx.ModelProto:
    """Sigmoid of 40 (brightness of 0-1 - 0.5): three convolutions of 1 x 1, and `middle` (4, 4) is the second."""
    weights = {
        "first": np.full((4, 3), 1 / 3 / 255), "first_bias": np.zeros(4), "zero": np.zeros(()),
        "middle": middle, "middle_bias": np.full(4, middle_bias), "last": np.full((1, 4), 10.0), "last_bias": [-20.0],
    }  # fmt: skip
    arrays = {name: np.asarray(values, np.float32) for name, values in weights.items()}
    constants = [
        numpy_helper.from_array(values[:, :, None, None] if values.ndim == 2 else values, name)
        for name, values in arrays.items()
    ]
    nodes = [
        helper.make_node("Transpose", ["reflectance"], ["pixels"], perm=[0, 3, 1, 2]),
        helper.make_node("IsNaN", ["pixels"], ["hidden"]),
        helper.make_node("Where", ["hidden", "zero", "pixels"], ["filled"]),
        helper.make_node("Conv", ["filled", "first", "first_bias"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "middle", "middle_bias"], ["c"], name="middle"),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Conv", ["d", "last", "last_bias"], ["logit"], name="last"),
        helper.make_node("Sigmoid", ["logit"], ["p"]),
        helper.make_node("Transpose", ["p"], [OUTPUT], perm=[0, 2, 3, 1]),
    ]
    shape: list[str | int] = ["batch", "height", "width"]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [*shape, channels])
        for name, channels in (("reflectance", 3), (OUTPUT, 1))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    model.metadata_props.extend(onnx.load_from_string(bright_model()).metadata_props)
    return model


def ramp() -> np.ndarray:
    """(1, S, S, 3) uint8: from dark on the left to bright on the right."""
    return np.broadcast_to((np.arange(SIDE, dtype=np.uint8) * 8)[:, None], (1, SIDE, SIDE, 3)).copy()


def patches(column: int, *, count: int = 1) -> Patches:
    """A ramp whose bright half is glacier, `count` times."""
    image = ramp()[[0] * count]
    zeros = np.zeros(count, dtype=np.int64)
    label = (image[..., 0] >= 128).astype(np.uint8)
    return Patches(image, label, np.ones_like(label), row=zeros, column=zeros + column, scene=zeros)


def training_data() -> TrainingData:
    return TrainingData(
        train=patches(0, count=3), validation=patches(SIDE), calibration=patches(SIDE, count=0),
        shape=(2 * SIDE, 2 * SIDE), bands=["red", "green", "blue"], scale=1.0, offset=0.0,
        mean=[0.0] * 3, std=[1.0] * 3, md5="0" * 32,
    )  # fmt: skip


def add_to(path: Path) -> Int8Check:
    data = training_data()
    float32 = module._map_patches(path, data.validation, data, PARAMS)
    return add_int8(path, data, float32, Calibrated(threshold=0.5), PARAMS)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(net(np.eye(4)).SerializeToString())
    return path


def test_equal_pixels_give_equal_bytes_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pixels = ramp().astype(np.float32)
    with caplog.at_level(logging.INFO):
        first, second = (quantise(net(np.eye(4)), pixels).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
    assert caplog.records == []


@pytest.mark.parametrize("kind", ["onnx_model", "onnx_ensemble"])
def test_a_trained_graph_keeps_its_first_and_last_convolutions(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    path: Path = request.getfixturevalue(kind)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    pixels[:, :9] = np.nan
    model = onnx.load(path)
    before = model.SerializeToString()
    quantised = quantise(model, pixels)
    assert model.SerializeToString() == before
    target = tmp_path / "int8.onnx"
    target.write_bytes(quantised.SerializeToString())
    check_onnx(target)
    info = read_info(target)
    assert (info.precision, info.threshold) == ("int8", read_info(path).threshold)
    assert read_info(path).precision == "float32"
    weights = [numpy_helper.to_array(value) for value in quantised.graph.initializer]
    rounded = [values for values in weights if values.dtype == np.int8 and values.ndim == 4]
    everything = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(rounded) == len(everything) - 2 * info.members
    assert max(np.abs(values.astype(int)).max() for values in rounded) == 64  # 7 bits
    maps = [
        open_session(file, height=64, width=64).run([OUTPUT], {"reflectance": pixels[:1]})[0] for file in (path, target)
    ]
    assert 0 < np.abs(maps[0] - maps[1]).mean() < 0.02


def test_rounded_weights_move_no_mean() -> None:
    """Steps of 1 / 64: 0.3 becomes 19 / 64. The inputs of the middle convolution have a mean of 0.25."""
    middle = np.eye(4)
    middle[0, 1:] = 0.3
    pixels = np.full((1, 8, 8, 3), 0.25 * 255, dtype=np.float32)
    corrected = module._with_corrected_biases(net(middle, middle_bias=0.1), pixels)
    bias = {value.name: numpy_helper.to_array(value) for value in corrected.graph.initializer}["middle_bias"]
    assert bias == pytest.approx([0.1 - 3 * (19 / 64 - 0.3) * 0.25, 0.1, 0.1, 0.1], abs=1e-6)


def test_a_graph_that_maps_the_same_is_kept_beside_the_unchanged_float32_one(model_file: Path) -> None:
    before = onnx.load(model_file)
    check = add_to(model_file)
    assert (check.iou_float32, check.iou, check.area_change_pct, check.refused) == (1.0, 1.0, 0.0, "")
    assert onnx.load(model_file).graph == before.graph
    assert read_info(model_file).precision == "float32"
    with graph_at(model_file, "int8") as graph:
        assert read_info(graph).precision == "int8"
    assert not graph.exists()


def test_a_damaged_graph_is_refused_and_not_kept(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(model: Any, pixels: Any) -> Any:
        result = quantise(model, pixels)
        scales = {node.input[1] for node in result.graph.node if node.op_type == "DequantizeLinear"}
        for value in result.graph.initializer:
            if value.name in scales and len(value.dims) == 1 and value.dims[0] == 4:  # of the weights, a channel each
                value.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(value) * np.float32(0.8), value.name))
        return result

    monkeypatch.setattr(module, "quantise", damaged)
    check = add_to(model_file)
    assert "the IoU falls from 1.0000 to" in check.refused
    assert "the area changes by -" in check.refused
    entries = read_metadata(model_file)
    assert INT8_GRAPH not in entries
    assert entries[INT8_REFUSED] == check.refused
    with pytest.raises(ContractError, match="holds no int8 graph") as caught, graph_at(model_file, "int8"):
        pass
    assert check.refused in caught.value.found


def maps_of(*, right: int, missed: int, extra: int) -> dict[str, np.ndarray]:
    """10,000 glacier pixels of 20,000, all mapped in float32; int8 misses some and maps others."""
    glacier = np.arange(20_000) < 10_000
    int8 = np.zeros(20_000, dtype=bool)
    int8[missed : missed + right], int8[10_000 : 10_000 + extra] = True, True
    return {"float32": glacier, "int8": int8, "glacier": glacier}


@pytest.mark.parametrize(
    ("missed", "extra", "reasons"),
    [
        (0, 0, []),
        (14, 14, []),  # IoU 0.9972
        (16, 16, ["IoU"]),  # IoU 0.9968, the same area
        (0, 29, []),
        (0, 31, ["IoU", "+0.31 %"]),
        (29, 0, []),
        (31, 0, ["IoU", "-0.31 %"]),
    ],
)
def test_bounds_of_what_is_refused(missed: int, extra: int, reasons: list[str]) -> None:
    check = judge(**maps_of(right=10_000 - missed, missed=missed, extra=extra))
    assert bool(check.refused) == bool(reasons)
    assert all(reason in check.refused for reason in reasons)


def test_an_area_that_moves_is_refused_at_an_equal_iou() -> None:
    """Float32 misses 40 pixels, int8 maps 40 too many."""
    glacier = np.arange(20_000) < 10_000
    check = judge(float32=np.arange(20_000) < 9_960, int8=np.arange(20_000) < 10_040, glacier=glacier)
    assert check.refused == "on held-out blocks the area changes by +0.80 %, more than 0.3 %"


def test_without_a_mapped_pixel_nothing_is_kept() -> None:
    nothing = np.zeros(5, dtype=bool)
    assert "nothing can be compared" in judge(float32=nothing, int8=nothing, glacier=nothing).refused
