"""From which rows an operator makes a row, against operators whose answer is known; all others are refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from stages.common.errors import ContractError
from stages.common.model.blocks import cut_into_blocks
from stages.common.model.row_reach import Reach, UnknownReachError, reach_of, trace_rows

KERNEL = {"w": np.ones((2, 2, 3, 3), dtype=np.float32)}


def graph_of(*nodes: NodeProto, **constants: np.ndarray) -> onnx.GraphProto:
    sizes = ["batch", "height", "width", 2]
    return helper.make_graph(
        list(nodes), "graph", [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "rows", "columns", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip


FIRST = helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])


@pytest.mark.parametrize(
    ("operator", "attributes", "expected"),
    [
        ("Conv", {"auto_pad": "SAME_UPPER"}, Reach(kernel=3, above=1)),
        ("Conv", {"pads": [1, 1, 1, 1]}, Reach(kernel=3, above=1)),
        ("Conv", {"pads": [2, 2, 2, 2], "dilations": [2, 2]}, Reach(kernel=5, above=2)),
        ("Conv", {"kernel_shape": [2, 2], "strides": [2, 2]}, Reach(kernel=2, step=2)),
        ("Conv", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}, Reach(kernel=3, step=2)),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}, Reach(kernel=2, step=2)),
        ("ConvTranspose", {"kernel_shape": [2, 2], "strides": [2, 2]}, Reach(growth=2)),
        ("Resize", {"mode": "nearest"}, Reach(growth=2)),
        ("Relu", {}, Reach()),
    ],
)
def test_a_row_is_made_of_the_rows_that_the_operator_looks_at(
    operator: str, attributes: dict[str, object], expected: Reach
) -> None:
    inputs = ["t", "", "scales"] if operator == "Resize" else ["t", "w"]
    constants = KERNEL | {"scales": np.array([1, 1, 2, 2], dtype=np.float32)}
    assert reach_of(helper.make_node(operator, inputs, ["y"], **attributes), constants) == expected


def test_rows_are_followed_through_the_graph() -> None:
    graph = graph_of(
        FIRST,
        helper.make_node("Conv", ["t", "w"], ["c"], auto_pad="SAME_UPPER"),
        helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Transpose", ["p"], ["y"], perm=[0, 2, 3, 1]),
        **KERNEL,
    )
    rows = trace_rows(graph)
    assert [(rows[name].axis, rows[name].rate, rows[name].layer) for name in "xtcpy"] == [
        (1, 1, 0), (2, 1, 0), (2, 1, 1), (2, Fraction(1, 2), 1), (1, Fraction(1, 2), 1),
    ]  # fmt: skip


REFUSED = {
    "a row that depends on all": [helper.make_node("GlobalAveragePool", ["t"], ["y"])],
    "a mean of rows": [helper.make_node("ReduceMean", ["x", "rows"], ["y"])],
    "rows behind each other": [helper.make_node("Concat", ["x", "x"], ["y"], axis=1)],
    "a constant for each row": [helper.make_node("Add", ["x", "ramp"], ["y"])],
    "fewer rows": [helper.make_node("Conv", ["t", "w"], ["y"], kernel_shape=[3, 3])],
    "overlapping enlargement": [helper.make_node("ConvTranspose", ["t", "w"], ["y"], strides=[2, 2])],
    "an enlargement that interpolates": [helper.make_node("Resize", ["t", "", "scales"], ["y"], mode="linear")],
    "another size": [helper.make_node("MaxPool", ["t"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
                     helper.make_node("Add", ["t", "p"], ["y"])],
}  # fmt: skip


@pytest.mark.parametrize("nodes", REFUSED.values(), ids=REFUSED.keys())
def test_operators_of_unknown_reach_are_refused(nodes: list[NodeProto]) -> None:
    constants = {
        "rows": np.array([1]), "ramp": np.ones((1, 9, 1, 1), dtype=np.float32),
        "scales": np.array([1, 1, 2, 2], dtype=np.float32),
    }  # fmt: skip
    with pytest.raises(UnknownReachError):
        trace_rows(graph_of(FIRST, *nodes, **constants, **KERNEL))


def test_a_model_that_cannot_be_cut_is_refused_with_its_operator(tmp_path: Path) -> None:
    graph = graph_of(FIRST, helper.make_node("GlobalAveragePool", ["t"], ["y"]))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "model.onnx")
    with pytest.raises(ContractError, match="band by band") as caught:
        cut_into_blocks(tmp_path / "model.onnx", 32)
    assert caught.value.found == "GlobalAveragePool"


def test_an_addition_beside_a_convolution_is_refused(tmp_path: Path) -> None:
    """Both need the same value, but one of them more rows of it than the other."""
    convolve = helper.make_node("Conv", ["t", "w"], ["c"], auto_pad="SAME_UPPER")
    graph = graph_of(FIRST, convolve, helper.make_node("Add", ["c", "t"], ["y"]), **KERNEL)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "model.onnx")
    with pytest.raises(ContractError, match="band by band"):
        cut_into_blocks(tmp_path / "model.onnx", 32)


def test_a_model_of_an_earlier_version_is_cut_as_it_is_simplified(tmp_path: Path) -> None:
    """It works sizes out in the graph, to cut and pad what has its size already."""
    node = helper.make_node
    graph = graph_of(
        FIRST,
        node("Conv", ["t", "w"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        node("ConvTranspose", ["half", "w"], ["large"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Shape", ["half"], ["sizes"]),
        node("Gather", ["sizes", "axes"], ["end"]),
        node("Slice", ["large", "begin", "end"], ["cut"]),
        node("Pad", ["cut", "pads"], ["padded"]),
        node("Transpose", ["padded"], ["y"], perm=[0, 2, 3, 1]),
        w=np.ones((2, 2, 2, 2), dtype=np.float32), axes=np.arange(4), begin=np.zeros(4, dtype=np.int64),
        pads=np.zeros(8, dtype=np.int64),
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "model.onnx")
    (block,) = cut_into_blocks(tmp_path / "model.onnx", 32).blocks
    assert block.steps_per_row == Fraction(1, 2)
