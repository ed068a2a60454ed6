"""The same network with less to compute: what the converter adds and nobody needs is taken out of the ONNX graph.

Both rules keep every bit of the result. The demo's model takes an eighth less time with them.
"""

from __future__ import annotations

from typing import Any

CHANNELS_LAST_TO_FIRST = [0, 3, 1, 2]

POINTWISE = frozenset({"IsNaN", "Cast", "Where", "Greater", "Not", "Sub", "Mul", "ConstantOfShape", "Shape"})
"""Operations that give the same numbers whichever axis holds the channels, constants of one value a channel apart."""


def simplify(graph: Any) -> None:
    """Simplify an ONNX graph in place.

    1. Behind each transposed convolution the converter cuts and pads to the size that TensorFlow names. Where the
       kernel is as large as its stride, it is that size already, and ONNX Runtime only copies large arrays, twice.
    2. NaN and normalisation come before the transposition to channels first: with six numbers a pixel in a row, ONNX
       Runtime cannot work on long runs of numbers. The transposition comes first instead.
    """
    _remove_cuts_and_pads(graph)
    _transpose_first(graph)
    remove_unused(graph)


def _remove_cuts_and_pads(graph: Any) -> None:
    producers = {name: node for node in graph.node for name in node.output}
    for pad in graph.node:
        cut = producers.get(pad.input[0]) if pad.op_type == "Pad" else None
        source = producers.get(cut.input[0]) if cut is not None and cut.op_type == "Slice" else None
        if source is not None and _fills_its_stride(source):
            _replace(graph, pad.output[0], source.output[0])


def _fills_its_stride(node: Any) -> bool:
    """Whether it is a transposed convolution whose output is its input's size times the stride."""
    values = {attribute.name: attribute for attribute in node.attribute}
    kernel, strides = (list(values[name].ints) if name in values else [] for name in ("kernel_shape", "strides"))
    plain = not {"pads", "output_padding", "output_shape", "auto_pad"} & set(values)
    dilations = list(values["dilations"].ints) if "dilations" in values else [1, 1]
    return node.op_type == "ConvTranspose" and plain and kernel == strides and set(dilations) == {1}


def _transpose_first(graph: Any) -> None:
    """Move the transposition of the input before what is computed of each pixel by itself, where nothing else is."""
    from onnx import helper, numpy_helper

    constants = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    pixel = graph.input[0].name
    moved, last = _pointwise(graph, pixel, constants)
    if not moved or not last:
        return
    first = f"{pixel}_channels_first"
    for node in moved:
        for place, name in enumerate(node.input):
            if name == pixel:
                node.input[place] = first
            elif name in constants:
                node.input[place] = _with_channels_first(graph, node, name, constants[name])
        for attribute in node.attribute:
            if node.op_type == "Concat":
                attribute.i = 1
    for node in last:
        _replace(graph, node.output[0], first if node.input[0] == pixel else node.input[0])
        graph.node.remove(node)
    graph.node.insert(0, helper.make_node("Transpose", [pixel], [first], perm=CHANNELS_LAST_TO_FIRST))


def _pointwise(graph: Any, pixel: str, constants: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the nodes that work on pixels with the channels last, and the transpositions behind them.

    Two empty lists where another operation needs the channels last, so that nothing can be moved.
    """
    inside, moved, last = {pixel}, [], []
    for node in graph.node:
        if not inside & set(node.input):
            continue
        others = [name for name in node.input if name not in inside]
        axes = [constants[name].tolist() for name in others if name in constants]
        if node.op_type == "Transpose" and _ints(node, "perm") == CHANNELS_LAST_TO_FIRST:
            last.append(node)
        elif any(name not in constants for name in others):
            return [], []
        elif (
            node.op_type in POINTWISE
            or (node.op_type == "Concat" and _int(node, "axis") in (3, -1))
            or (node.op_type == "ReduceSum" and axes in ([[-1]], [[3]]) and _int(node, "keepdims", 1) == 1)
        ):
            moved.append(node)
            inside.update(node.output)
        else:
            return [], []
    return moved, last


def _with_channels_first(graph: Any, node: Any, name: str, constant: Any) -> str:
    """Return the name of a constant for channels first; it is added to the graph where it differs."""
    import numpy as np
    from onnx import numpy_helper

    if node.op_type == "ReduceSum":
        changed = np.array([1], dtype=constant.dtype)
    elif constant.ndim == 1 and constant.size > 1:
        changed = constant.reshape(-1, 1, 1)
    else:
        return name
    new = f"{name}_channels_first"
    if new not in {value.name for value in graph.initializer}:
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(changed), new))
    return new


def _replace(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


def remove_unused(graph: Any) -> None:
    """Remove nodes and constants that no output needs."""
    needed = {value.name for value in graph.output}
    for node in reversed(list(graph.node)):  # a graph is sorted: each stands behind those it reads from
        if needed & set(node.output):
            needed.update(node.input)
        else:
            graph.node.remove(node)
    for value in [value for value in graph.initializer if value.name not in needed]:
        graph.initializer.remove(value)


def _ints(node: Any, name: str) -> list[int]:
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == name), [])


def _int(node: Any, name: str, default: int = 0) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == name), default)
