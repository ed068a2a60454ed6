"""A small network as `train` exports them, of operations alone: nothing is trained, and no Keras is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STRIDE_PX, RADIUS_PX = 4, 12
THRESHOLD = 0.4


def write_network(path: Path, bands: list[str]) -> None:
    """Write a model that tells bright from dark: means of 4 x 4 blocks, a convolution over them, and back."""
    rng = np.random.default_rng(5)
    weights = rng.uniform(0.5, 1.5, (1, len(bands), 3, 3)).astype(np.float32)
    weights /= weights.sum() * 15
    constants = {
        "weights": weights,
        "nothing": np.array(0, dtype=np.float32),
        "bias": np.array([-10.0], dtype=np.float32),
        "scales": np.array([1, 1, STRIDE_PX, STRIDE_PX], dtype=np.float32),
    }
    node = helper.make_node
    nodes = [
        node("IsNaN", ["reflectance"], ["hidden"]),
        node("Where", ["hidden", "nothing", "reflectance"], ["seen_or_0"]),
        node("Transpose", ["seen_or_0"], ["first"], perm=[0, 3, 1, 2]),
        node("AveragePool", ["first"], ["pooled"], kernel_shape=[STRIDE_PX] * 2, strides=[STRIDE_PX] * 2),
        node("Conv", ["pooled", "weights", "bias"], ["logits"], pads=[1, 1, 1, 1]),
        node("Resize", ["logits", "", "scales"], ["large"], mode="nearest"),
        node("Sigmoid", ["large"], ["probability"]),
        node("Transpose", ["probability"], ["glacier"], perm=[0, 2, 3, 1]),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "height", "width", count])
        for name, count in (("reflectance", len(bands)), ("glacier", 1))
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "network", values[:1], values[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(
        model,
        {
            "bands": ",".join(bands), "scale": "1.0", "offset": "0.0", "threshold": str(THRESHOLD),
            "threshold_rule": "given", "temperature": "1.0", "members": "1", "area_error": "null",
            "stride_px": str(STRIDE_PX), "receptive_field_radius_px": str(RADIUS_PX), "data_md5": "0" * 32,
        },
    )  # fmt: skip
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
