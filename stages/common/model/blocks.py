"""A graph cut into blocks, each of which works on a band of rows with the few rows around it that it looks at.

Within a block one operator at most looks beyond a row. So a block that gets that operator's rows above and below, and
adds none itself, gives each row once, and the same bits as the graph on a whole scene. At the top and the bottom of the
scene the block runs as it is in the graph, with the rows of zeros that it adds; what that spoils elsewhere is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.common.errors import ContractError
from stages.common.model.row_reach import SLIDING, Rows, UnknownReachError, pads_of, reach_of, trace_rows
from stages.common.model.simplify import simplify
from stages.common.types import AnyArray

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto


FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class Port:
    """A value that a block takes or gives, band by band."""

    name: str
    axis: int
    """Axis of the rows."""
    rows: int
    """Rows of the value in a step of the block."""
    above: int = 0
    """Rows above those of a step that are needed for it."""
    below: int = 0
    sizes: tuple[int, ...] = ()
    """Sizes along the other axes, in their order; 0: not known."""
    dtype: np.dtype[Any] = FLOAT32

    @property
    def row_bytes(self) -> int:
        """Memory of a row."""
        return math.prod(max(1, size) for size in self.sizes) * self.dtype.itemsize

    def shape(self, rows: int) -> tuple[int, ...]:
        """Return the shape of that many rows."""
        return (*self.sizes[: self.axis], rows, *self.sizes[self.axis :])

    @cached_property
    def spoiled_steps(self) -> int:
        """Steps next to a made-up edge whose result is spoiled by it."""
        return math.ceil(max(self.above, self.below) / self.rows)


@dataclass(frozen=True)
class Block:
    """A part of a graph. It works in steps: the rows of its coarsest value, one by one."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    steps_per_row: Fraction
    """Steps for each row of the scene."""
    columns: int
    """Columns of the coarsest value."""
    inside: bytes
    """The ONNX model for bands within the scene: it adds no rows."""
    at_edge: bytes
    """The ONNX model for the bands at the top and the bottom of the scene: it adds rows as the graph does."""

    @cached_property
    def spoiled_steps(self) -> int:
        """Steps that a band at one edge of the scene needs, beyond its own, on the other side."""
        return max((port.spoiled_steps for port in self.inputs), default=0)

    @property
    def knows_sizes(self) -> bool:
        """Whether the shapes of its outputs are known before it runs."""
        return all(all(port.sizes) for port in self.outputs)

    def steps_of(self, feed: Mapping[str, AnyArray], at_edge: bool) -> int:
        """Return how many steps the block makes of its inputs, by their names."""
        port = self.inputs[0]
        around = 0 if at_edge else port.above + port.below
        return int(feed[port.name].shape[port.axis] - around) // port.rows


@dataclass(frozen=True)
class BlockGraph:
    """The blocks of a graph in the order in which a row passes through them."""

    source: str
    """Name of the input: (N, C, H, W), as bands are read; the graph itself takes (N, H, W, C)."""
    blocks: tuple[Block, ...]


def cut_into_blocks(path: Path, columns: int) -> BlockGraph:
    """Cut a model into blocks for scenes of that many columns.

    Raises
    ------
    ContractError
        An operator is of a kind that cannot be worked on band by band.
    """
    import onnx

    model = onnx.load(path)
    simplify(model.graph)  # of an earlier version's model, whose sizes are worked out in the graph
    _take_channels_first(model.graph, columns)
    model = onnx.shape_inference.infer_shapes(model)
    constants = {value.name: onnx.numpy_helper.to_array(value) for value in model.graph.initializer}
    try:
        rows = trace_rows(model.graph, axis=SOURCE_AXIS)
        cuts = _cuts(model.graph, rows)
        blocks = [_block(model, rows, constants, *cut) for cut in cuts]
    except ValueError as error:
        raise ContractError(
            "the model cannot map a scene band by band",
            where=path, expected="the operators of a U-Net that `train` exports", found=error,
            fix="use a model that this version's `train` has exported",
        ) from error  # fmt: skip
    return BlockGraph(model.graph.input[0].name, tuple(blocks))


SOURCE_AXIS = 2
"""Axis of the rows in what the blocks take."""


def _take_channels_first(graph: GraphProto, columns: int) -> None:
    """Let the graph take one scene of so many columns as bands are read, (1, C, H, W).

    ONNX Runtime drops the transposition that is added together with the opposite one behind it.
    """
    from onnx import helper

    given = graph.input[0]
    channels = given.type.tensor_type.shape.dim[3].dim_value
    source = helper.make_tensor_value_info(
        f"{given.name}_bands", given.type.tensor_type.elem_type, [1, channels, None, columns]
    )
    graph.node.insert(0, helper.make_node("Transpose", [source.name], [given.name], perm=[0, 2, 3, 1]))
    graph.input[0].CopyFrom(source)


def _cuts(graph: GraphProto, rows: Mapping[str, Rows]) -> list[tuple[list[str], list[str]]]:
    """Return names of inputs and outputs of each block, a block a layer."""
    makers = {name: node for node in graph.node for name in node.output}
    ends = [value.name for value in graph.output]
    depth = max(value.layer for value in rows.values())
    inputs: list[dict[str, None]] = [{} for _ in range(depth + 1)]
    worked_out = [set(ends) for _ in inputs]
    for node in reversed(graph.node):
        layer = rows[node.output[0]].layer if node.output[0] in rows else 0
        if _is_cheap(node, layer) and not worked_out[layer] & set(node.output):
            continue
        for name in (name for name in node.input if name in rows):
            if rows[name].layer < layer:
                inputs[layer] |= dict.fromkeys(_stored(name, makers, rows))
            else:
                worked_out[layer].add(name)
    inputs[0] = {graph.input[0].name: None}
    used_later = [{name for later in inputs[layer + 1 :] for name in later} for layer in range(depth + 1)]
    outputs = [
        [name for name in makers if name in rows and rows[name].layer == layer and name in used]
        for layer, used in enumerate(used | set(ends) for used in used_later)
    ]
    return [(sorted(names), results) for names, results in zip(inputs, outputs, strict=True) if results]


CHEAP = frozenset({"Concat", "DequantizeLinear"})
"""Operators that are left to the block that uses their result: what they are made of is smaller."""


HEAVY = SLIDING | {"ConvTranspose", "MatMul"}
"""Operators that are never worked out twice."""


def _is_cheap(node: NodeProto, layer: int) -> bool:
    """Return whether an operator is left to the blocks that use its result; what comes before any other layer is."""
    return node.op_type in CHEAP or (layer == 0 and node.op_type not in HEAVY)


def _stored(name: str, makers: Mapping[str, NodeProto], rows: Mapping[str, Rows]) -> list[str]:
    """Return the values that are kept between blocks for one that a later block uses."""
    maker = makers.get(name)
    if maker is None or not _is_cheap(maker, rows[name].layer):
        return [name]
    return [stored for part in maker.input if part in rows for stored in _stored(part, makers, rows)]


def _block(
    model: ModelProto, rows: Mapping[str, Rows], constants: dict[str, AnyArray], inputs: list[str], outputs: list[str]
) -> Block:
    from onnx.utils import Extractor

    part = Extractor(model).extract_model(inputs, outputs)
    if any(rows[name].sizes for name in (*inputs, *outputs)):
        raise UnknownReachError("sizes that are used far from where they are measured")
    values = {name for node in part.graph.node for name in (*node.input, *node.output)} & rows.keys()
    steps = min(rows[name].rate for name in values.union(inputs, outputs))
    needed = _rows_needed(part.graph, {name: int(rows[name].rate / steps) for name in outputs}, rows, constants)
    del part.graph.value_info[:]
    for value in (*part.graph.input, *part.graph.output):
        value.type.tensor_type.shape.dim[rows[value.name].axis].Clear()
    at_edge = part.SerializeToString()
    _add_no_rows(part.graph, constants)
    return Block(
        inputs=tuple(_port(value, rows[value.name], steps, needed[value.name]) for value in part.graph.input),
        outputs=tuple(_port(value, rows[value.name], steps) for value in part.graph.output),
        steps_per_row=steps,
        columns=max(1, int(model.graph.input[0].type.tensor_type.shape.dim[3].dim_value * steps)),
        inside=part.SerializeToString(),
        at_edge=at_edge,
    )


FAR = 1000
"""A step far from both edges."""


def _rows_needed(
    graph: GraphProto, outputs: Mapping[str, int], rows: Mapping[str, Rows], constants: dict[str, AnyArray]
) -> dict[str, tuple[int, int]]:
    """Return the rows (first, stop) of each value that the step `FAR` needs."""
    needed = {name: (FAR * count, (FAR + 1) * count) for name, count in outputs.items()}
    for node in reversed(graph.node):
        results = {needed[name] for name in node.output if name in needed}
        for name in (name for name in node.input if name in rows and results):
            between = reach_of(node, constants).input_rows(*next(iter(results)))
            if needed.setdefault(name, between) != between or len(results) > 1:
                raise UnknownReachError(f"{node.op_type} beside an operator that needs other rows of {name}")
    return needed


def _port(value: ValueInfoProto, rows: Rows, steps: Fraction, needed: tuple[int, int] | None = None) -> Port:
    from onnx import helper

    count = int(rows.rate / steps)
    first, stop = needed or (FAR * count, (FAR + 1) * count)
    kind = value.type.tensor_type
    return Port(
        value.name, rows.axis, count, above=FAR * count - first, below=stop - (FAR + 1) * count,
        sizes=tuple(size.dim_value for axis, size in enumerate(kind.shape.dim) if axis != rows.axis),
        dtype=helper.tensor_dtype_to_np_dtype(kind.elem_type),
    )  # fmt: skip


def _add_no_rows(graph: GraphProto, constants: dict[str, AnyArray]) -> None:
    """Let the sliding operators add columns, but no rows."""
    from onnx import helper

    for node in graph.node:
        if node.op_type in SLIDING:
            left, right = pads_of(node, constants, axis=1)
            for attribute in [value for value in node.attribute if value.name in ("auto_pad", "pads")]:
                node.attribute.remove(attribute)
            node.attribute.append(helper.make_attribute("pads", [0, left, 0, right]))
