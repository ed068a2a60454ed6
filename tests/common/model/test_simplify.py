"""A simplified graph gives the same bits, and what must stay is not taken out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from stages.common.model.simplify import simplify

SIZE, BANDS = 64, 3


def constant(name: str, values: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def network(*, kernel: int = 2, channels_last_elsewhere: bool = False) -> onnx.ModelProto:
    """What the converter writes for: NaN to 0, normalise, a mask band, a convolution, and one upwards cut to size."""
    rng = np.random.default_rng(1)
    node = helper.make_node
    nodes = [
        node("IsNaN", ["reflectance"], ["nan"]), node("Cast", ["nan"], ["nans"], to=TensorProto.FLOAT),
        node("ReduceSum", ["nans", "last_axis"], ["sum"], keepdims=1),
        node("Shape", ["reflectance"], ["shape"]), node("ConstantOfShape", ["shape"], ["zeros"]),
        node("Where", ["nan", "zeros", "reflectance"], ["filled"]), node("Greater", ["sum", "zero"], ["any"]),
        node("Sub", ["filled", "mean"], ["centred"]), node("Mul", ["centred", "gain"], ["scaled"]),
        node("Not", ["any"], ["all"]), node("Cast", ["all"], ["seen"], to=TensorProto.FLOAT),
        node("Mul", ["scaled", "seen"], ["kept"]), node("Concat", ["kept", "seen"], ["input"], axis=3),
        node("Transpose", ["input"], ["first"], perm=[0, 3, 1, 2]),
        node("Conv", ["first", "down"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        node("ConvTranspose", ["half", "up"], ["whole"], kernel_shape=[kernel, kernel], strides=[2, 2]),
        node("Slice", ["whole", "starts", "ends", "axes"], ["cut"]), node("Pad", ["cut", "pads"], ["padded"]),
        node("Sigmoid", ["padded"], ["probability"]),
        node("Transpose", ["probability"], ["glacier"], perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    if channels_last_elsewhere:
        nodes.insert(-1, node("ReduceMax", ["kept"], ["brightest"], keepdims=1))
    constants = [
        constant("last_axis", [-1], np.int64), constant("zero", 0), constant("mean", [0.2, 0.3, 0.1]),
        constant("gain", [4.4, 5.1, 11.3]), constant("starts", [0, 0], np.int64),
        constant("ends", [SIZE, SIZE], np.int64), constant("axes", [2, 3], np.int64),
        constant("pads", [0] * 8, np.int64), constant("unused", [1.0]),
        constant("down", rng.normal(size=(5, BANDS + 1, 2, 2))),
        constant("up", rng.normal(size=(5, 1, kernel, kernel))),
    ]  # fmt: skip
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "network", [value("reflectance", TensorProto.FLOAT, [1, SIZE, SIZE, BANDS])],
        [value("glacier", TensorProto.FLOAT, [1, SIZE, SIZE, 1])], constants,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def answer(model: onnx.ModelProto) -> np.ndarray:
    onnx.checker.check_model(model)
    pixels = np.random.default_rng(2).uniform(0, 1, (1, SIZE, SIZE, BANDS)).astype(np.float32)
    pixels[0, 10:20, 30:40], pixels[0, 50, 5, 1] = np.nan, np.nan
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["glacier"], {"reflectance": pixels})[0])


def simple(model: onnx.ModelProto) -> Counter[str]:
    simplify(model.graph)
    return Counter(node.op_type for node in model.graph.node)


def test_the_same_bits_come_from_fewer_nodes() -> None:
    model = network()
    before = answer(model)
    operations = simple(model)
    assert not {"Slice", "Pad"} & set(operations)
    assert operations["Transpose"] == 2
    assert model.graph.node[0].op_type == "Transpose"
    assert "unused" not in {value.name for value in model.graph.initializer}
    assert np.array_equal(answer(model), before)
    assert before.std() > 0


def test_a_cut_that_cuts_stays() -> None:
    model = network(kernel=3)
    before = answer(model)
    operations = simple(model)
    assert (operations["Slice"], operations["Pad"]) == (1, 1)
    assert np.array_equal(answer(model), before)


def test_what_needs_the_channels_last_keeps_them_last() -> None:
    model = network(channels_last_elsewhere=True)
    before = answer(model)
    simple(model)
    assert model.graph.node[0].op_type != "Transpose"
    assert np.array_equal(answer(model), before)


@pytest.mark.parametrize("times", [1, 2])
def test_a_simple_graph_stays_as_it_is(times: int) -> None:
    model = network()
    simple(model)
    again = onnx.ModelProto()
    again.CopyFrom(model)
    for _ in range(times):
        simple(again)
    assert again.SerializeToString(deterministic=True) == model.SerializeToString(deterministic=True)


def test_an_exported_network_is_simple(onnx_model: Path) -> None:
    operations = Counter(node.op_type for node in onnx.load(onnx_model).graph.node)
    assert not {"Slice", "Pad", "Split", "Gather"} & set(operations)
    assert onnx.load(onnx_model).graph.node[0].op_type == "Transpose"
