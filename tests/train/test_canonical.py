"""Equal graphs have equal bytes, whatever their names and order; different ones do not."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from stages.train.canonical import canonicalise


def graph(*, seed: int = 0, scale: float = 2.0) -> onnx.ModelProto:
    """y = relu(x * scale + shift) + relu(x * scale + shift), its twin written out twice under random names."""
    rng = random.Random(seed)
    names = {
        key: f"{key}_{rng.randrange(10**6)}" for key in ("scale", "scale2", "shift", "m1", "m2", "a1", "a2", "r1", "r2")
    }
    n = names.get
    nodes = [
        helper.make_node("Mul", ["x", n("scale")], [n("m1")]),
        helper.make_node("Mul", ["x", n("scale2")], [n("m2")]),
        helper.make_node("Add", [n("m1"), n("shift")], [n("a1")]),
        helper.make_node("Add", [n("m2"), n("shift")], [n("a2")]),
        helper.make_node("Relu", [n("a1")], [n("r1")]),
        helper.make_node("Relu", [n("a2")], [n("r2")]),
        helper.make_node("Add", [n("r1"), n("r2")], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(np.float32([scale]), n("scale")),
        numpy_helper.from_array(np.float32([scale]), n("scale2")),
        numpy_helper.from_array(np.float32([-1.0]), n("shift")),
    ]
    rng.shuffle(constants)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in ("x", "y"))
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], constants), opset_imports=[helper.make_opsetid("", 18)]
    )
    model.ir_version = 8
    return model


def canonical(model: onnx.ModelProto) -> bytes:
    canonicalise(model.graph)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def test_names_and_order_do_not_matter() -> None:
    assert len({canonical(graph(seed=seed)) for seed in range(20)}) == 1


def test_numbers_do() -> None:
    assert canonical(graph(scale=2.0)) != canonical(graph(scale=3.0))


def test_equal_parts_are_merged_and_the_answer_stays() -> None:
    model = graph()
    x = np.float32([1, 2, -3])
    before = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    after = onnxruntime.InferenceSession(canonical(model)).run(None, {"x": x})[0]
    assert before.tolist() == after.tolist() == [2.0, 6.0, 0.0]
    assert len(model.graph.node) == 4 and len(model.graph.initializer) == 2


def test_a_graph_with_a_loose_end_is_refused() -> None:
    model = graph()
    model.graph.node[0].input[0] = "nowhere"
    with pytest.raises(ValueError, match="nothing gives the input"):
        canonicalise(model.graph)


def test_the_exported_model_is_in_canonical_form(onnx_model: Path) -> None:
    model = onnx.load(onnx_model)
    before = bytes(model.SerializeToString(deterministic=True))
    assert canonical(model) == before
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["reflectance", "glacier"]
    assert [d.dim_param for d in model.graph.input[0].type.tensor_type.shape.dim[:3]] == ["batch", "height", "width"]
