"""The smallest ONNX model that is accepted as one, for tests of stages that ask which model mapped."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper


def smallest_model(name: str = "sigmoid") -> bytes:
    """Return the bytes of a model of one operation; another `name` gives other bytes."""
    shape = ["batch", "height", "width", 1]
    graph = helper.make_graph(
        [helper.make_node("Sigmoid", ["reflectance"], ["glacier"])], name,
        [helper.make_tensor_value_info("reflectance", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("glacier", TensorProto.FLOAT, shape)],
    )  # fmt: skip
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
