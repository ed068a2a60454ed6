"""Small ONNX files made by hand: one that maps pixels as the stage `train`'s do, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

METADATA = {
    "bands": "red,green,blue", "scale": "1.0", "offset": "0.0", "threshold": "0.5", "threshold_rule": "given",
    "temperature": "1.0", "members": "1", "area_error": "null", "stride_px": "16",
    "receptive_field_radius_px": "20", "data_md5": "0" * 32, "band_histograms": "[]",
}  # fmt: skip

DIMENSIONS = ["batch", "height", "width"]


def nodes(*, last: Sequence[Any] | None = None) -> list[Any]:
    """Operations from reflectance to ``glacier``: bright is glacier; `last` replaces those after the sum."""
    end = [
        helper.make_node("Sub", ["mean", "middle"], ["above"]),
        helper.make_node("Div", ["above", "width_of_edge"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["glacier"]),
    ]
    return [
        helper.make_node("IsNaN", ["reflectance"], ["hidden"]),
        helper.make_node("Where", ["hidden", "zero", "reflectance"], ["whole"]),
        helper.make_node("ReduceMean", ["whole", "axis"], ["mean"], keepdims=1),
        *(end if last is None else last),
    ]


CONSTANTS = {
    "zero": np.float32(0), "middle": np.float32(150), "width_of_edge": np.float32(20), "axis": np.array([-1]),
    "wide": np.array([10**6, 10**6]), "nan": np.float32("nan"), "minus": np.float32(-1), "large": np.float32(200),
    "two": np.array([1, 1, 1, 2]), "many": np.array([1, 1, 1, 10**6]),
}  # fmt: skip


def model(
    path: Path, *, metadata: dict[str, str] | None = None, without: str = "", last: Sequence[Any] | None = None,
    channels: int = 3, outputs: int = 1, opset: int = 18, change: Callable[[Any], None] | None = None,
) -> Path:  # fmt: skip
    """Write a model and return its path; `change` gets the message before it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = [*DIMENSIONS, channels]
    graph = helper.make_graph(
        nodes(last=last), "net", [helper.make_tensor_value_info("reflectance", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("glacier", TensorProto.FLOAT, [*DIMENSIONS, outputs])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in CONSTANTS.items()],
    )  # fmt: skip
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    entries = {key: text for key, text in (METADATA | (metadata or {})).items() if key != without}
    helper.set_model_props(proto, entries)
    if change:
        change(proto)
    path.write_bytes(proto.SerializeToString(deterministic=True))
    return path


def to_glacier(operator: str, *names: str, **attributes: Any) -> list[Any]:
    """One operation whose output is the map."""
    return [helper.make_node(operator, list(names), ["glacier"], **attributes)]


def external(path: str) -> Callable[[Any], None]:
    """Keep a constant in another file."""

    def change(proto: Any) -> None:
        tensor = proto.graph.initializer[1]
        onnx.external_data_helper.set_external_data(tensor, location=path, offset=0, length=4)
        tensor.ClearField("raw_data")

    return change


def endless_loop(proto: Any) -> None:
    """Put a loop without an end in front of the output."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["going_on"]), helper.make_node("Identity", ["x"], ["y"])], "body",
        [helper.make_tensor_value_info("n", TensorProto.INT64, []),
         helper.make_tensor_value_info("going", TensorProto.BOOL, []),
         helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("going_on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )  # fmt: skip
    proto.graph.node[-1].output[0] = "mapped"
    proto.graph.initializer.append(numpy_helper.from_array(np.asarray(True), "yes"))
    proto.graph.node.append(helper.make_node("Loop", ["", "yes", "mapped"], ["glacier"], body=body))


def foreign_domain(proto: Any) -> None:
    """Use an operator of another domain."""
    proto.graph.node[-1].domain = "com.microsoft"
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def giant_claim(proto: Any) -> None:
    """Claim a tensor of 40 GB that is not there."""
    tensor = proto.graph.initializer[1]
    del tensor.dims[:]
    tensor.dims.extend([100_000, 100_000])


def function(proto: Any) -> None:
    """Define an operator in the file itself."""
    proto.functions.append(
        helper.make_function("local", "f", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [])
    )


def many_nodes(proto: Any) -> None:
    """Hold more operations than any network has."""
    proto.graph.node.extend(helper.make_node("Relu", ["mean"], [f"r{number}"]) for number in range(20_001))


GIANT = [
    helper.make_node("Expand", ["mean", "many"], ["wide_map"]),
    helper.make_node("ReduceMax", ["wide_map", "axis"], ["largest"], keepdims=1),
    helper.make_node("Sigmoid", ["largest"], ["glacier"]),
]
"""Operations that make a hundred gigabytes of a small window."""

GIANT_CONSTANT = [
    helper.make_node("ConstantOfShape", ["wide"], ["square"]),
    helper.make_node("ReduceMax", ["square"], ["largest"], keepdims=0),
    helper.make_node("Add", ["mean", "largest"], ["sum"]),
    helper.make_node("Sigmoid", ["sum"], ["glacier"]),
]
"""A constant of four terabytes, from a file of one kilobyte."""
