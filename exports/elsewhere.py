"""The model for other programs: QGIS's plugin Deepness and GeoDeep, which map tiles of bands first (NCHW).

Both hand on what a GeoTIFF stores, divided by the largest number of its type, and take the class with the largest
score. So the graph turns such numbers into physical values, runs the model, and gives the scores of two classes, of
which the second is the larger where the probability reaches the model's own threshold.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from exports.finished import Finished
from stages.common.errors import StorageError
from stages.common.model.inference import OUTPUT, ModelInfo
from stages.common.model.probability import threshold_level
from stages.common.tables.kinds import PROBABILITY_SCALE

NCHW = "model_nchw.onnx"
LARGEST = {"rgb8": 255.0, "sentinel2": 65535.0}
"""Largest number of the type that a scene is stored in, by `prepare.storage`."""

TILE_PX_MIN = 512
CM_PER_M = 100.0
ROUNDING_PCT = 1e-9
"""Both programs cut a product of numbers off: without it an overlap of 448 px could become 447."""

CLASSES = {"0": "not glacier", "1": "glacier"}


def write_nchw(source: Path, info: ModelInfo, site: Finished, target: Path) -> None:
    """Write the model with bands first, tiles of a fixed size, and the metadata that both programs read.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    import onnx

    proto = onnx.load(source)
    storage = site.params.prepare.storage
    turn_round(proto, info, largest=LARGEST[storage], tile_px=tile_px(info))
    entries = {prop.key: prop.value for prop in proto.metadata_props}
    onnx.helper.set_model_props(proto, entries | metadata(info, pixel_size_m=site.params.grid.pixel_size_m))
    onnx.checker.check_model(proto)
    try:
        target.write_bytes(proto.SerializeToString(deterministic=True))
    except OSError as error:
        raise StorageError("the model cannot be written", where=target, found=error) from error


def tile_px(info: ModelInfo) -> int:
    """Return the side of a tile, of which at most half is margin."""
    return _in_strides(max(TILE_PX_MIN, 2 * overlap_px(info)), info)


def overlap_px(info: ModelInfo) -> int:
    """Return how far neighbouring tiles overlap: half of it is cut from each, so that no tile's edge shows.

    Sides and overlap are multiples of the stride, and so are the places of tiles on a scene of a side of one tile and
    a number of steps: elsewhere the network's pooling begins at other pixels, and its answers differ a little.
    """
    return _in_strides(2 * info.receptive_field_radius_px, info)


def _in_strides(pixels: int, info: ModelInfo) -> int:
    return math.ceil(pixels / info.stride_px) * info.stride_px


def metadata(info: ModelInfo, *, pixel_size_m: float) -> dict[str, str]:
    """Return what Deepness and GeoDeep read: each value is JSON."""
    size = tile_px(info)
    overlap_pct = 100 * overlap_px(info) / size + ROUNDING_PCT
    values = {
        "model_type": "Segmentor",
        "class_names": CLASSES,
        "resolution": pixel_size_m * CM_PER_M,
        "tiles_size": size,
        "tiles_overlap": overlap_pct,
        "seg_thresh": 0.5,
        "seg_small_segment": 0,
    }
    return {key: json.dumps(value) for key, value in values.items()}


def turn_round(proto: Any, info: ModelInfo, *, largest: float, tile_px: int) -> None:
    """Change a model in place: input (1, C, H, W) in 0-1, output (1, 2, H, W) scores of rock and ice that sum to 1."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = proto.graph
    entries = {prop.key: prop.value for prop in proto.metadata_props}
    inner = graph.input[0].name
    level = (threshold_level(info.threshold) - 0.5) * PROBABILITY_SCALE  # between the levels that a map is stored in
    numbers = {
        "factor": largest * float(entries.get("scale", "1.0")), "offset": float(entries.get("offset", "0.0")),
        "level": level, "above": 1 - level, "half": 0.5, "one": 1.0, "zero": 0.0,
    }  # fmt: skip
    graph.initializer.extend(
        numpy_helper.from_array(np.array(value, dtype=np.float32), f"elsewhere:{name}")
        for name, value in numbers.items()
    )
    node = helper.make_node
    before = [
        node("Mul", ["image", "elsewhere:factor"], ["elsewhere:scaled"]),
        node("Add", ["elsewhere:scaled", "elsewhere:offset"], ["elsewhere:physical"]),
        node("Transpose", ["elsewhere:physical"], [inner], perm=[0, 2, 3, 1]),
    ]
    after = [
        node("Transpose", [OUTPUT], ["elsewhere:p"], perm=[0, 3, 1, 2]),
        node("Div", ["elsewhere:p", "elsewhere:level"], ["elsewhere:below"]),
        node("Min", ["elsewhere:below", "elsewhere:one"], ["elsewhere:low"]),
        node("Sub", ["elsewhere:p", "elsewhere:level"], ["elsewhere:excess"]),
        node("Div", ["elsewhere:excess", "elsewhere:above"], ["elsewhere:share"]),
        node("Max", ["elsewhere:share", "elsewhere:zero"], ["elsewhere:high"]),
        node("Add", ["elsewhere:low", "elsewhere:high"], ["elsewhere:sum"]),
        node("Mul", ["elsewhere:sum", "elsewhere:half"], ["elsewhere:ice"]),
        node("Sub", ["elsewhere:one", "elsewhere:ice"], ["elsewhere:rock"]),
        node("Concat", ["elsewhere:rock", "elsewhere:ice"], ["scores"], axis=1),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    shape = [1, len(info.bands), tile_px, tile_px]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, shape))
    graph.output.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, tile_px, tile_px]))
