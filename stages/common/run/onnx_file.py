"""Look into an ONNX file before anything runs it: what it holds, told from its bytes alone.

ONNX is a protobuf message (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). The few fields that decide whether
a model may run are read here, because the images that run models have ONNX Runtime, but not the package onnx.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from stages.common.errors import ContractError

BYTES_MAX, NODES_MAX = 512 * 2**20, 20_000
"""Largest file and most operations of a model; an ensemble of 16 nets has a quarter of the second."""

DOMAINS = ("", "ai.onnx")
"""Domains of operators: ONNX's own. Others may be named by the file, but nothing of them is used."""

OPSETS = range(13, 27)
"""Versions of ONNX's operators that ONNX Runtime knows and that mean what ``train`` exports."""

OPERATOR_NAMES = """
Abs Add And AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv ConvTranspose
DequantizeLinear Div Equal Erf Exp Expand Flatten Floor Ceil Gather Gelu Gemm GlobalAveragePool
GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN
LayerNormalization LeakyRelu Less LessOrEqual Log MatMul Max MaxPool Mean Min Mul Neg Not Or Pad Pow PRelu
QuantizeLinear Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape Resize Round Selu
Shape Sigmoid Sign Size Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where Xor
"""
OPERATORS = frozenset(OPERATOR_NAMES.split())
"""Operators of a network that maps pixels: no loops and branches, which need not end, and none that draws numbers."""

METADATA_FIELD = 14
"""Number of ModelProto.metadata_props."""

Field = tuple[int, int | memoryview]


def check_onnx(path: Path) -> None:
    """Refuse a file that is no ONNX model, or a model that does more than to map pixels.

    Raises
    ------
    ContractError
        It is absent, too large or not ONNX; has operators, domains or functions beyond those listed here; keeps weights
        in other files; or claims tensors that it does not hold.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > BYTES_MAX:
        raise refused(path, f"at most {BYTES_MAX} bytes", f"{size} bytes")
    try:
        problem = _problem(memoryview(path.read_bytes())) if size else "nothing"
    except (ValueError, IndexError, TypeError, UnicodeDecodeError) as error:
        problem = f"not the format of ONNX: {error}"
    if problem:
        raise refused(path, "an ONNX model that maps pixels, complete in one file", problem)


def read_metadata(path: Path) -> dict[str, str]:
    """Return the entries of a model's metadata; of a file that `check_onnx` has accepted."""
    entries = (
        dict(_fields(_message(value)))
        for number, value in _fields(memoryview(path.read_bytes()))
        if number == METADATA_FIELD
    )
    return {_text(entry.get(1, b"")): _text(entry.get(2, b"")) for entry in entries}


def refused(path: Path, expected: str, actual: object) -> ContractError:
    """Return the error that a model is not accepted."""
    return ContractError(
        "the file is not an ONNX model that can be used",
        where=path,
        expected=expected,
        found=" ".join(str(actual).split())[:300],
        fix="run `train` again, or `dvc pull` the model; models from elsewhere must be exported as `train` does",
    )


def _problem(model: memoryview) -> str:
    """Return what is wrong with a ModelProto; empty: nothing."""
    fields = list(_fields(model))
    graphs = [_message(value) for number, value in fields if number == 7]
    if len(graphs) != 1:
        return "no graph"
    if any(number in (20, 25) for number, _ in fields):
        return "functions or training steps of its own"
    opsets = [dict(_fields(_message(value))) for number, value in fields if number == 8]
    versions = [opset.get(2, 0) for opset in opsets if _text(opset.get(1, b"")) in DOMAINS]
    if not versions or any(version not in OPSETS for version in versions):
        return f"operators of version {versions or 'unknown'}, not {OPSETS.start} to {OPSETS.stop - 1}"
    return _problem_of_graph(graphs[0], len(model))


def _problem_of_graph(graph: memoryview, file_bytes: int) -> str:
    nodes, tensors = [], []
    for number, value in _fields(graph):
        if number == 1:
            nodes.append(list(_fields(_message(value))))
        elif number == 5:
            tensors.append(_message(value))
        elif number == 15:
            return "sparse weights"
    if not 0 < len(nodes) <= NODES_MAX:
        return f"{len(nodes)} operations, not 1 to {NODES_MAX}"
    for node in nodes:
        operator = next((_text(value) for number, value in node if number == 4), "")
        domain = next((_text(value) for number, value in node if number == 7), "")
        if operator not in OPERATORS or domain not in DOMAINS:
            return f"the operator {domain}{'.' if domain else ''}{operator}"
        for attribute in (list(_fields(_message(value))) for number, value in node if number == 5):
            if any(number in (6, 11, 22, 23) for number, _ in attribute):
                return f"a graph within the operator {operator}"
            tensors += [_message(value) for number, value in attribute if number in (5, 10)]
    return next(filter(None, (_problem_of_tensor(tensor, file_bytes) for tensor in tensors)), "")


def _problem_of_tensor(tensor: memoryview, file_bytes: int) -> str:
    sizes: list[int] = []
    for number, value in _fields(tensor):
        if number == 1:
            sizes += [value] if isinstance(value, int) else _packed(value)
        elif number == 13 or (number == 14 and value):
            return "weights in another file"
    if math.prod(sizes) > 8 * file_bytes:
        return f"a tensor of {sizes} numbers in a file of {file_bytes} bytes"
    return ""


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield number and value of each field: an int, or the bytes of a text, message or list."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None and kind == 2:
            size, place = _varint(message, place)
        if size is None or place + size > end or not number:
            raise ValueError(f"a field of kind {kind} at byte {place}")
        yield number, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError(f"a number without end at byte {place}")


def _packed(values: memoryview) -> list[int]:
    numbers, place = [], 0
    while place < len(values):
        number, place = _varint(values, place)
        numbers.append(number)
    return numbers


def _message(value: object) -> memoryview:
    if not isinstance(value, memoryview):
        raise TypeError("a number in place of a message")
    return value


def _text(value: object) -> str:
    return bytes(value).decode("utf-8") if isinstance(value, memoryview | bytes) else ""
