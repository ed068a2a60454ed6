"""Which graph of a model maps: its float32 graph, or the int8 graph that its metadata may hold.

One file holds both, so that the registry, the champion, a region and a container never have one without the other.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from stages.common.errors import ContractError
from stages.common.run.onnx_file import check_onnx, read_metadata

Precision = Literal["float32", "int8"]

INT8_GRAPH, INT8_REFUSED, PRECISION = "int8_graph", "int8_refused", "precision"
"""Entries of a model's metadata: an ONNX file in base64; why there is none; and in that file: int8."""


@contextlib.contextmanager
def graph_at(model: Path, precision: Precision) -> Iterator[Path]:
    """Yield the ONNX file that maps at `precision`: `model` itself, or its int8 graph, a file until the block ends.

    Raises
    ------
    ContractError
        The model holds no int8 graph, or none that can be read.
    """
    if precision == "float32":
        yield model
        return
    graph = _int8_graph(model)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, f"{model.stem}_int8.onnx")
        path.write_bytes(graph)
        yield path


def _int8_graph(model: Path) -> bytes:
    check_onnx(model)
    entries = read_metadata(model)
    if INT8_GRAPH not in entries:
        reason = entries.get(INT8_REFUSED)
        raise ContractError(
            "the model holds no int8 graph",
            where=model,
            expected="a model trained with train.int8: true, as predict.precision is int8",
            found=f"one that `train` refused: {reason}" if reason else "a float32 graph alone",
            fix="set predict.precision: float32"
            + ("" if reason else ", or train.int8: true and train again (a champion: promote such a model)"),
        )
    try:
        return base64.b64decode(entries[INT8_GRAPH], validate=True)
    except binascii.Error as error:
        raise ContractError(
            "the model's int8 graph cannot be read", where=model, expected="an ONNX file in base64", found=error,
            fix="set predict.precision: float32, or `dvc pull` the model again",
        ) from error  # fmt: skip
