"""Keras to ONNX, in a process of its own: ``python -m stages.train.export <folder of the trained model>``."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT
from stages.common.model.simplify import simplify
from stages.common.run.records import read_document
from stages.common.tables.learning import ModelCard
from stages.train.canonical import canonicalise

OPSET = 18
DIMENSIONS = ("batch", "height", "width")
"""Names of the free dimensions; ONNX Runtime fixes them when it opens the model (`stages.common.model.inference`)."""


def export(folder: Path) -> None:
    """Write ``folder/model.onnx`` from architecture.json, model.weights.h5 and model_card.json."""
    import keras
    import onnx

    import stages.train.ensemble
    import stages.train.model  # noqa: F401 (each registers a layer of its own)

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


if __name__ == "__main__":
    export(Path(sys.argv[1]))
