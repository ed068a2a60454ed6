"""Where the rows of a scene are in each value of a graph, and from which input rows an operator makes a row.

A value of a network that maps pixels has an axis for the rows; pooling halves them, a transposed convolution doubles
them, and a convolution of 3 x 3 looks one row up and down. An operator of which that is not known here is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.common.types import AnyArray

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

SLIDING = frozenset({"Conv", "QLinearConv", "MaxPool", "AveragePool"})
"""Operators with a kernel that slides along the rows, axis 2 of four."""

PIXEL_BY_PIXEL_NAMES = """
Abs Add And BatchNormalization Cast Clip Concat DequantizeLinear Div Equal Erf Exp Gelu Greater GreaterOrEqual
HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mul Neg Not Or Pow PRelu
QuantizeLinear Reciprocal Relu Selu Sigmoid Sign Softplus Sqrt Sub Sum Tanh Where Xor
"""
PIXEL_BY_PIXEL = frozenset(PIXEL_BY_PIXEL_NAMES.split())
"""Operators that make a pixel of the pixel at the same place, or put channels behind each other."""

REDUCING = frozenset({"ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"})

NEAREST = (
    ("mode", b"nearest"), ("coordinate_transformation_mode", b"half_pixel"), ("nearest_mode", b"round_prefer_floor"),
)  # fmt: skip
REPEATING = ((b"nearest", b"half_pixel", b"round_prefer_floor"), (b"nearest", b"asymmetric", b"floor"))
"""Attributes of an enlargement, with their defaults, and those with which whole scales repeat each row."""

ROW_AXIS = 2
"""Axis of the rows in what a sliding operator takes: (N, C, H, W)."""


class UnknownReachError(ValueError):
    """It cannot be told from which rows an operator makes a row."""


@dataclass(frozen=True)
class Rows:
    """Where the rows are in a value."""

    axis: int
    rank: int
    rate: Fraction
    """Rows of the value for each row of the scene."""
    layer: int = 0
    """Number of operators, on the longest way from the input, that look beyond a row."""
    sizes: bool = False
    """It holds the sizes of such a value, not its numbers."""


@dataclass(frozen=True)
class Reach:
    """Input rows that an operator makes a row of: from ``row x step - above`` on, `kernel` of them.

    Where `growth` is more than 1, a row of the input becomes that many.
    """

    kernel: int = 1
    step: int = 1
    above: int = 0
    growth: int = 1

    def input_rows(self, first: int, stop: int) -> tuple[int, int]:
        """Return the input rows (first, stop) that the output rows (first, stop) are made of."""
        if self.growth > 1:
            return first // self.growth, -(-stop // self.growth)
        return first * self.step - self.above, (stop - 1) * self.step - self.above + self.kernel

    @property
    def looks_beyond(self) -> bool:
        """Whether neighbouring rows of the output share rows of the input."""
        return self.kernel > self.step


def trace_rows(graph: GraphProto, axis: int = 1) -> dict[str, Rows]:
    """Return, for each value of the graph that depends on its input, where its rows are; in the input along `axis`.

    Raises
    ------
    UnknownReachError
        That is not known of an operator.
    """
    from onnx import numpy_helper

    constants = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    rows = {graph.input[0].name: Rows(axis, rank=4, rate=Fraction(1))}
    for node in graph.node:
        if any(name in rows for name in node.input):
            after = _rows_after(node, rows, constants)
            rows |= dict.fromkeys(node.output, after)
    return rows


def reach_of(node: NodeProto, constants: dict[str, AnyArray]) -> Reach:
    """Return from which rows of its inputs an operator makes a row.

    Raises
    ------
    UnknownReachError
        Its padding or its kernel is of an unusual kind.
    """
    if node.op_type == "ConvTranspose":
        kernel, step = _sizes(node, constants, 0)
        values = {attribute.name for attribute in node.attribute}
        if kernel != step or {"output_padding", "output_shape", "auto_pad"} & values or any(_list(node, "pads", [0])):
            raise UnknownReachError(f"{node.op_type} whose kernel is not as large as its stride")
        return Reach(growth=step)
    if node.op_type == "Resize":
        return Reach(growth=_repeats(node, constants))
    if node.op_type in SLIDING:
        kernel, step = _sizes(node, constants, 0)
        return Reach(kernel=kernel, step=step, above=pads_of(node, constants, axis=0)[0])
    return Reach()


def _repeats(node: NodeProto, constants: dict[str, AnyArray]) -> int:
    """Return how often an enlargement repeats each row."""
    scales = constants.get(node.input[2]) if len(node.input) == 3 else None
    kind = tuple(attribute_of(node, name, default) for name, default in NEAREST)
    if scales is None or len(scales) != 4 or scales[ROW_AXIS] % 1 or kind not in REPEATING:
        raise UnknownReachError(f"{node.op_type} that does more than to repeat rows")
    return int(scales[ROW_AXIS])


def pads_of(node: NodeProto, constants: dict[str, AnyArray], *, axis: int) -> tuple[int, int]:
    """Return what a sliding operator adds before and after along rows (axis 0) or columns (axis 1).

    Raises
    ------
    UnknownReachError
        It changes the number of rows otherwise than its stride does.
    """
    kernel, step = _sizes(node, constants, axis)
    both = max(kernel - step, 0)
    less, more = both // 2, both - both // 2
    pads = _list(node, "pads", [0, 0, 0, 0])
    padding = {
        b"NOTSET": (pads[axis], pads[axis + 2]), b"VALID": (0, 0), b"SAME_UPPER": (less, more),
        b"SAME_LOWER": (more, less),
    }[attribute_of(node, "auto_pad", b"NOTSET")]  # fmt: skip
    if sum(padding) != both or attribute_of(node, "ceil_mode", 0):
        raise UnknownReachError(f"{node.op_type} that adds {padding} to a kernel of {kernel}")
    return padding


def attribute_of(node: NodeProto, name: str, default: Any) -> Any:
    """Return the attribute of an operator, as a plain value."""
    from onnx import helper

    return next((helper.get_attribute_value(value) for value in node.attribute if value.name == name), default)


def _sizes(node: NodeProto, constants: dict[str, AnyArray], axis: int) -> tuple[int, int]:
    """Return kernel and stride along rows (axis 0) or columns (axis 1), dilation included."""
    weights = constants.get(node.input[3 if node.op_type == "QLinearConv" else 1]) if len(node.input) > 1 else None
    kernel = _list(node, "kernel_shape", [] if weights is None else list(weights.shape[2:]))
    if len(kernel) != 2:
        raise UnknownReachError(f"{node.op_type} with a kernel of {kernel}")
    dilation, step = _list(node, "dilations", [1, 1])[axis], _list(node, "strides", [1, 1])[axis]
    return (kernel[axis] - 1) * dilation + 1, step


def _rows_after(node: NodeProto, rows: dict[str, Rows], constants: dict[str, AnyArray]) -> Rows:
    """Return where the rows are in what an operator gives."""
    inputs = [rows[name] for name in node.input if name in rows]
    first = replace(inputs[0], layer=max(value.layer for value in inputs))
    if any(replace(value, layer=first.layer) != first for value in inputs):
        raise UnknownReachError(f"{node.op_type} of values whose rows differ")
    if first.sizes and node.op_type != "ConstantOfShape":
        raise UnknownReachError(f"{node.op_type} of sizes")
    if node.op_type in SLIDING or node.op_type in ("ConvTranspose", "Resize"):
        if (first.axis, first.rank) != (ROW_AXIS, 4) or len(inputs) > 1:
            raise UnknownReachError(f"{node.op_type} of other values than (N, C, H, W)")
        reach = reach_of(node, constants)
        return replace(first, rate=first.rate * reach.growth / reach.step, layer=first.layer + reach.looks_beyond)
    if node.op_type in ("Shape", "ConstantOfShape"):
        return replace(first, sizes=node.op_type == "Shape")
    return _rows_of_same_pixels(node, first, rows, constants)


def _rows_of_same_pixels(node: NodeProto, first: Rows, rows: dict[str, Rows], constants: dict[str, AnyArray]) -> Rows:
    """Return where the rows are behind an operator that neither adds nor drops any."""
    fixed = [constants[name] for name in node.input if name in constants]
    if node.op_type == "Transpose":
        return replace(first, axis=list(attribute_of(node, "perm", range(first.rank)[::-1])).index(first.axis))
    if node.op_type in ("Reshape", "Squeeze", "Unsqueeze", *REDUCING):
        return _rows_of_shape(node, first, attribute_of(node, "axes", fixed[0] if fixed else None))
    if node.op_type == "MatMul" and node.input[0] in rows and first.axis < first.rank - 1 and fixed:
        return first
    if node.op_type not in PIXEL_BY_PIXEL:
        raise UnknownReachError(node.op_type)
    if node.op_type == "Concat" and attribute_of(node, "axis", 0) in (first.axis, first.axis - first.rank):
        raise UnknownReachError("Concat of rows")
    quantised = node.op_type in ("BatchNormalization", "DequantizeLinear", "QuantizeLinear")
    if not quantised and any(_differs_by_row(value, first) for value in fixed):
        raise UnknownReachError(f"{node.op_type} with a constant that differs by row")
    return first


def _differs_by_row(value: AnyArray, first: Rows) -> bool:
    place = first.axis - first.rank + value.ndim
    return value.ndim > first.rank or (place >= 0 and value.shape[place] != 1)


def _rows_of_shape(node: NodeProto, first: Rows, numbers: AnyArray | list[int] | None) -> Rows:
    """Return where the rows are behind an operator that adds, drops or keeps axes, with its shape or axes."""
    if numbers is None:
        raise UnknownReachError(f"{node.op_type} without constant axes")
    values = [int(value) for value in np.atleast_1d(numbers)]
    if node.op_type == "Reshape":
        if len(values) <= first.axis or values[first.axis] != 0:
            raise UnknownReachError("Reshape that moves rows")
        return replace(first, rank=len(values))
    adds = node.op_type == "Unsqueeze"
    rank = first.rank + (len(values) if adds else 0)
    axes = sorted(value % rank for value in values)
    if adds:
        axis = [place for place in range(rank) if place not in axes][first.axis]
        return replace(first, axis=axis, rank=rank)
    if first.axis in axes:
        raise UnknownReachError(f"{node.op_type} along the rows")
    if node.op_type != "Squeeze" and attribute_of(node, "keepdims", 1):
        return first
    return replace(first, axis=first.axis - sum(axis < first.axis for axis in axes), rank=rank - len(axes))


def _list(node: NodeProto, name: str, default: list[int]) -> list[int]:
    return list(attribute_of(node, name, default))
