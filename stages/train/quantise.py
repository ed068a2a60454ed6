"""The int8 form of an exported graph: made by ONNX Runtime's quantiser, judged on held-out blocks, kept in model.onnx.

Static, a scale for each output channel of a convolution, weights of 7 bits: with 8, processors without VNNI saturate
sums of two products, and the map would depend on the processor far more. Ranges of activations are those of training
patches.

Normalisation, the first convolution behind it, transposed convolutions (ONNX Runtime has none in int8), the last
convolution, temperature and sigmoid stay float32: bands have long bright tails, and a step of a quantised logit would
be a step of the probability.
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit

from stages.common.model.inference import OUTPUT, open_session
from stages.common.model.precision import INT8_GRAPH, INT8_REFUSED, PRECISION
from stages.common.model.simplify import remove_unused
from stages.common.params.learning import PatchesParams
from stages.common.tables.learning import Calibrated, Int8Check
from stages.common.types import BoolArray, Float32Array, Float64Array
from stages.train.calibrate import maps, mean_probability
from stages.train.canonical import canonicalise
from stages.train.data import Patches, TrainingData
from stages.train.validation import ValidationPixels, held_out_pixels, join

CALIBRATION_PATCHES = 16
"""Training patches that ranges and means are taken from, evenly spaced over all years: 32 change the map by no more."""

QUANTISED = ("Conv", "Concat", "MaxPool", "Relu")
"""Operations that ONNX Runtime computes in int8."""

LARGEST_WEIGHT = 64
"""Of a symmetric weight of 7 bits."""

IOU_FALL_MAX = 0.003
"""Largest fall of the IoU on held-out blocks against float32."""

AREA_CHANGE_MAX_PCT = 0.3
"""Largest change of the mapped area of held-out blocks, up or down, in per cent of float32's."""


def add_int8(
    path: Path, data: TrainingData, float32: ValidationPixels, calibrated: Calibrated, params: PatchesParams
) -> Int8Check:
    """Quantise the graph in `path`, and put its int8 form into that file's metadata where it passes `judge`.

    Parameters
    ----------
    path
        model.onnx; where the int8 graph is refused, its metadata say why.
    float32
        Logits as fitted over the blocks that were held out to validate and then to calibrate.
    """
    import onnx

    model = onnx.load(path)
    graph = quantise(model, calibration_pixels(data)).SerializeToString(deterministic=True)
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch, "int8.onnx")
        draft.write_bytes(graph)
        int8 = join([_map_patches(draft, patches, data, params) for patches in (data.validation, data.calibration)])
    check = judge(
        float32=maps(mean_probability(float32.logit, calibrated.temperature), calibrated.threshold),
        int8=maps(mean_probability(int8.logit, 1.0), calibrated.threshold),
        glacier=float32.glacier,
    )
    entry = {INT8_REFUSED: check.refused} if check.refused else {INT8_GRAPH: base64.b64encode(graph).decode("ascii")}
    onnx.helper.set_model_props(model, _metadata(model) | entry)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return check


def judge(*, float32: BoolArray, int8: BoolArray, glacier: BoolArray) -> Int8Check:
    """Compare two maps of the same held-out pixels, each (P,), and say why the int8 graph may not be used, if so."""
    if not float32.any():
        return Int8Check(refused="no glacier is mapped on held-out blocks, so that nothing can be compared")
    before, after = _iou(float32, glacier), _iou(int8, glacier)
    change_pct = 100 * (int(int8.sum()) / int(float32.sum()) - 1)
    reasons = []
    if before - after > IOU_FALL_MAX:
        reasons.append(f"the IoU falls from {before:.4f} to {after:.4f}, more than {IOU_FALL_MAX:g}")
    if abs(change_pct) > AREA_CHANGE_MAX_PCT:
        reasons.append(f"the area changes by {change_pct:+.2f} %, more than {AREA_CHANGE_MAX_PCT:g} %")
    return Int8Check(
        iou_float32=round(before, 6), iou=round(after, 6), area_change_pct=round(change_pct, 4),
        refused=f"on held-out blocks {' and '.join(reasons)}" if reasons else "",
    )  # fmt: skip


def calibration_pixels(data: TrainingData) -> Float32Array:
    """Return up to `CALIBRATION_PATCHES` training patches (N, S, S, C) in physical values, NaN where hidden."""
    count = len(data.train)
    chosen = np.unique(np.linspace(0, count - 1, min(count, CALIBRATION_PATCHES)).round().astype(int))
    return physical_pixels(data.train, data, chosen)


def physical_pixels(patches: Patches, data: TrainingData, chosen: Any) -> Float32Array:
    """Return patches (N, S, S, C) in physical values, NaN where hidden, as the graph takes them."""
    pixels = patches.image[chosen].astype(np.float32) * np.float32(data.scale) + np.float32(data.offset)
    pixels[patches.visible[chosen] == 0] = np.nan
    return np.asarray(pixels, dtype=np.float32)


def quantise(model: Any, pixels: Float32Array) -> Any:
    """Return the int8 form of an exported ONNX model, with its metadata; `model` stays as it is.

    Parameters
    ----------
    pixels
        (N, S, S, C) physical values, NaN where hidden; equal pixels give equal bytes.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    corrected = _with_corrected_biases(model, pixels)
    corrected.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")  # else a warning advises it
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "int8.onnx")
        quantize_static(
            corrected, target, _reader(pixels, model.graph.input[0].name),
            quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax, calibration_providers=["CPUExecutionProvider"],
            op_types_to_quantize=list(QUANTISED), nodes_to_exclude=_first_and_last(model.graph),
        )  # fmt: skip
        quantised = onnx.load(target)
    canonicalise(quantised.graph)
    del quantised.metadata_props[:]
    onnx.helper.set_model_props(quantised, _metadata(model) | {PRECISION: "int8"})
    onnx.checker.check_model(quantised)
    return quantised


def _reader(pixels: Float32Array, name: str) -> Any:
    """Return the quantiser's reader over patches, one at a time."""
    from onnxruntime.quantization import CalibrationDataReader

    feeds = iter(pixels)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Float32Array] | None:
            patch = next(feeds, None)
            return None if patch is None else {name: patch[np.newaxis]}

    return Reader()


def _with_corrected_biases(model: Any, pixels: Float32Array) -> Any:
    """Return a copy in which rounding the weights moves the mean of no output (Nagel et al. 2019, section 4.2).

    The mean error of an output is its weights' rounding errors times the means of its inputs, and goes off the bias.
    Without it the demo's areas shrink by half a per cent.
    """
    import onnx
    from onnx import numpy_helper

    copy = onnx.ModelProto.FromString(model.SerializeToString())
    constants = {value.name: numpy_helper.to_array(value) for value in copy.graph.initializer}
    kept_float = set(_first_and_last(copy.graph))
    nodes = [node for node in copy.graph.node if node.op_type == "Conv" and node.name not in kept_float]
    means = _channel_means(copy, [node.input[0] for node in nodes], pixels)
    for node in nodes:
        weights = constants[node.input[1]].astype(np.float64)
        bias = constants[node.input[2]] if len(node.input) > 2 else np.zeros(len(weights))
        shift = (_rounded(weights) - weights).sum(axis=(2, 3)) @ means[node.input[0]]
        name = f"{node.name}_bias"
        copy.graph.initializer.append(numpy_helper.from_array((bias - shift).astype(np.float32), name))
        node.input[:] = [*node.input[:2], name]
    remove_unused(copy.graph)
    return copy


def _rounded(weights: Float64Array) -> Float64Array:
    """Return weights (O, I, H, W) as 7 bits a channel hold them."""
    step = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / LARGEST_WEIGHT
    step[step == 0] = 1.0
    return np.asarray(np.round(weights / step) * step)


def _channel_means(model: Any, names: list[str], pixels: Float32Array) -> dict[str, Float64Array]:
    """Return the mean of each channel of named values (N, C, H, W) of the graph, over all patches."""
    import onnx
    import onnxruntime

    probe = onnx.ModelProto.FromString(model.SerializeToString())
    del probe.graph.output[:]
    unique = list(dict.fromkeys(names))
    probe.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 2, 3]), "mean_axes"))
    for name in unique:
        node = onnx.helper.make_node("ReduceMean", [name, "mean_axes"], [f"{name}_mean"], keepdims=0)
        probe.graph.node.append(node)
        probe.graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, None))
    remove_unused(probe.graph)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = model.graph.input[0].name
    answers = [session.run(None, {feed: patch[np.newaxis]}) for patch in pixels]
    return {name: np.mean([answer[place] for answer in answers], axis=0, dtype=np.float64)
            for place, name in enumerate(unique)}  # fmt: skip


def _first_and_last(graph: Any) -> list[str]:
    """Return the names of the convolutions that no other one stands before, or none behind."""
    convolutions = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]

    def reached(nodes: list[Any], *, sources: str, targets: str) -> set[str]:
        """Return the convolutions that another one leads to, along the order of `nodes`."""
        values: set[str] = set()
        names: set[str] = set()
        for node in nodes:
            leads = bool(values & set(getattr(node, sources)))
            if leads and node in convolutions:
                names.add(node.name)
            if leads or node in convolutions:
                values.update(getattr(node, targets))
        return names

    behind = reached(list(graph.node), sources="input", targets="output")
    before = reached(list(reversed(graph.node)), sources="output", targets="input")
    return [node.name for node in convolutions if node.name not in behind & before]


def _map_patches(graph: Path, patches: Patches, data: TrainingData, params: PatchesParams) -> ValidationPixels:
    """Return the logits of a graph's calibrated probability over the held-out pixels of patches."""
    side, lowest = patches.image.shape[1], np.finfo(np.float32).eps
    session = open_session(graph, height=side, width=side)
    logits = np.empty((*patches.label.shape, 1), dtype=np.float32)
    for number, answer in enumerate(logits):
        pixels = physical_pixels(patches, data, [number])
        probability = session.run([OUTPUT], {session.get_inputs()[0].name: pixels})[0][0]
        answer[:] = logit(np.clip(probability, lowest, 1 - lowest))
    return held_out_pixels(logits, patches, data, params)


def _metadata(model: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


def _iou(map_: BoolArray, glacier: BoolArray) -> float:
    return float((map_ & glacier).sum() / max(int((map_ | glacier).sum()), 1))
