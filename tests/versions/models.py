"""Models whose maps are known: a pixel is ice where its mean is above (or below) a brightness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sandbox import tiny
from stages.train.export import finish
from tests.models import card

GOOD, BETTER, DIM, INVERTED = (0.2, 150.0), (0.21, 150.0), (0.2, 200.0), (-0.2, 150.0)
"""Slope and brightness: ice is near 200, rock near 90. DIM misses half of the ice."""


STRIDE_PX = 32
"""The model looks at each pixel alone, so that any stride is right: with this one a scene has few windows."""


def write_model(path: Path, slope: float, brightness: float) -> Path:
    """Sigmoid of slope x (mean of the bands - brightness), 0 where nothing is seen, with a trained model's metadata."""
    count = len(tiny.BANDS)
    weights = numpy_helper.from_array(np.full((count, 1), slope / count, np.float32), "weights")
    bias = numpy_helper.from_array(np.array([-slope * brightness], np.float32), "bias")
    nothing = numpy_helper.from_array(np.zeros((), np.float32), "nothing")
    nodes = [
        helper.make_node("IsNaN", ["reflectance"], ["unseen"]),
        helper.make_node("Where", ["unseen", "nothing", "reflectance"], ["seen"]),
        helper.make_node("MatMul", ["seen", "weights"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("reflectance", TensorProto.FLOAT, ["n", "h", "w", count])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", "h", "w", 1])],
        [weights, bias, nothing],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    finish(proto, card(tiny.BANDS, STRIDE_PX, 0, count + 1, members=1, temperature=1.0))
    onnx.checker.check_model(proto)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))
    return path
