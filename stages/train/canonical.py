"""The one form that equal ONNX graphs are written in.

tf2onnx merges and numbers constants in the order of sets of objects, so two exports of the same weights differ in
names, order and bytes. Here every value is named after its content: a constant after its numbers, a node's output
after its operation, attributes and inputs. Equal subgraphs fall together, and the bytes follow from the model alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

HEX_DIGITS = 16
"""64 bits: for graphs of a few hundred values a collision has a chance below 1e-14."""


@dataclass(frozen=True)
class _Value:
    """Canonical name of a value, and the length of the longest path that leads to it."""

    name: str
    depth: int


def canonicalise(graph: Any) -> None:
    """Rename, merge and order nodes and initialisers of an ONNX graph in place; inputs and outputs keep their names.

    Raises
    ------
    ValueError
        A node has an input that no node, constant or input of the graph gives.
    """
    canonical = {value.name: _Value(value.name, 0) for value in graph.input} | {"": _Value("", 0)}
    constants = _constants(graph, canonical)
    nodes = _nodes(graph, canonical)
    outputs = {canonical[value.name].name: value.name for value in graph.output}
    for node in nodes.values():
        for values in (node.input, node.output):
            values[:] = [outputs.get(name, name) for name in values]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(constants[name] for name in sorted(constants))
    graph.node.extend(nodes[key] for key in sorted(nodes))


def _constants(graph: Any, canonical: dict[str, _Value]) -> dict[str, Any]:
    """Return initialisers by canonical name; their old names are added to `canonical`."""
    from onnx import numpy_helper

    constants = {}
    for initializer in graph.initializer:
        array = numpy_helper.to_array(initializer)
        name = _name("constant", str(array.dtype), str(array.shape), array.tobytes())
        canonical[initializer.name] = _Value(name, 0)
        constants[name] = numpy_helper.from_array(array, name)
    return constants


def _nodes(graph: Any, canonical: dict[str, _Value]) -> dict[tuple[int, str], Any]:
    """Return nodes by (depth, name): sorted so, each stands behind those it reads from."""
    import onnx

    nodes: dict[tuple[int, str], Any] = {}
    pending = list(graph.node)
    while pending:
        ready = [node for node in pending if all(name in canonical for name in node.input)]
        if not ready:
            raise ValueError(f"nothing gives the input of {pending[0].name}")
        for node in ready:
            inputs = [canonical[name] for name in node.input]
            attributes = sorted(map(_attribute, node.attribute))
            name = _name(node.op_type, node.domain, *(value.name for value in inputs), *attributes)
            depth = 1 + max((value.depth for value in inputs), default=0)
            twin = onnx.NodeProto()
            twin.CopyFrom(node)
            twin.name = name
            twin.input[:] = [value.name for value in inputs]
            twin.output[:] = [f"{name}:{index}" for index in range(len(node.output))]
            canonical |= {old: _Value(new, depth) for old, new in zip(node.output, twin.output, strict=True)}
            nodes[depth, name] = twin
        pending = [node for node in pending if node.output[0] not in canonical]
    return nodes


def _attribute(attribute: Any) -> bytes:
    """Return the bytes of an attribute without the name of a tensor in it, which has no meaning."""
    if attribute.HasField("t"):
        attribute.t.name = ""
    return bytes(attribute.SerializeToString(deterministic=True))


def _name(kind: str, *parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return f"{kind}_{digest.hexdigest()[:HEX_DIGITS]}"
