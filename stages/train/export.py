"""Keras to ONNX, in a process of its own: ``echo <folder of the trained model> | python -m stages.train.export``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stages.common.errors import ContractError
from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT
from stages.common.model.simplify import simplify
from stages.common.run.records import read_document
from stages.common.tables.learning import ModelCard
from stages.train.canonical import canonicalise

OPSET = 18
DIMENSIONS = ("batch", "height", "width")
"""Names of the free dimensions; ONNX Runtime fixes them when it opens the model (`stages.common.model.inference`)."""


@contextlib.contextmanager
def exporter() -> Iterator[Callable[[Path], None]]:
    """Begin a process that loads what an export needs, and yield what makes it write ``folder/model.onnx``, once.

    A new process gives the same bytes, whatever ran in this one before.

    Raises
    ------
    ContractError
        The export failed; what it wrote last is in the message.
    """
    command, pipe = [sys.executable, "-m", "stages.train.export"], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, text=True) as process:

        def write_onnx(folder: Path) -> None:
            _, errors = process.communicate(f"{folder}\n")
            if process.returncode:
                raise ContractError("the export to ONNX failed", where=folder, found=errors[-2000:])

        try:
            yield write_onnx
        finally:
            process.kill()


def export(folder: Path) -> None:
    """Write ``folder/model.onnx`` from architecture.json, model.weights.h5 and model_card.json."""
    import keras
    import onnx

    model = keras.models.model_from_json((folder / "architecture.json").read_text(encoding="utf-8"))
    model.load_weights(folder / "model.weights.h5")
    signature = [keras.InputSpec(shape=(None, None, None, model.input_shape[-1]), dtype="float32", name="reflectance")]
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch, "model.onnx")
        model.export(draft, format="onnx", opset_version=OPSET, input_signature=signature, verbose=False)
        proto = onnx.load(draft)
    finish(proto, read_document(folder / "model_card.json", ModelCard))
    onnx.checker.check_model(proto)
    (folder / "model.onnx").write_bytes(proto.SerializeToString(deterministic=True))


def finish(proto: Any, card: ModelCard) -> None:
    """Name the outputs and the free dimensions, and put what a user of the model needs into its metadata."""
    import onnx

    for place, name in enumerate((OUTPUT, MEMBERS_OUTPUT)[: len(proto.graph.output)]):
        _rename_output(proto.graph, place, name)
    for value in (proto.graph.input[0], *proto.graph.output):
        for dimension, name in zip(value.type.tensor_type.shape.dim, DIMENSIONS, strict=False):
            dimension.ClearField("dim_value")
            dimension.dim_param = name
    simplify(proto.graph)
    canonicalise(proto.graph)
    onnx.helper.set_model_props(
        proto,
        {
            "bands": ",".join(card.bands),
            "scale": repr(card.scale),
            "offset": repr(card.offset),
            "threshold": repr(card.threshold),
            "threshold_rule": card.threshold_rule,
            "temperature": repr(card.temperature),
            "members": str(card.members),
            "area_error": card.area_error.model_dump_json() if card.area_error else "null",
            "stride_px": str(card.stride_px),
            "receptive_field_radius_px": str(card.receptive_field_radius_px),
            "data_md5": card.data_md5,
            "band_histograms": json.dumps([band.model_dump() for band in card.band_references], sort_keys=True),
        },
    )


def _rename_output(graph: Any, place: int, name: str) -> None:
    old = graph.output[place].name
    for node in graph.node:
        for values in (node.input, node.output):
            for index, value in enumerate(values):
                if value == old:
                    values[index] = name
    graph.output[place].name = name


def load_libraries() -> None:
    """Load what an export takes longest for, and the layers of this project, which register themselves."""
    import onnx  # noqa: F401
    import tf2onnx  # noqa: F401

    import stages.train.ensemble
    import stages.train.model  # noqa: F401


if __name__ == "__main__":
    load_libraries()
    if folder_of_model := sys.stdin.readline().rstrip("\n"):
        export(Path(folder_of_model))
