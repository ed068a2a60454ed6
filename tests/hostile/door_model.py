"""The door of models: an ONNX file from elsewhere in the place of a trained one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from onnx import helper

from tests.hostile import models
from tests.hostile.case import Case

MODEL = "artifacts/train/model.onnx"


def made(**how: Any) -> Callable[[Path], None]:
    """Put a model made so in the place of the trained one."""
    return lambda site: models.model(site / MODEL, **how) and None


def written(content: bytes) -> Callable[[Path], None]:
    """Put these bytes there."""
    return lambda site: (site / MODEL).write_bytes(content) and None


def in_its_place(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else than a file there."""

    def change(site: Path) -> None:
        (site / MODEL).unlink()
        make(site / MODEL)

    return change


METADATA: dict[str, list[str]] = {
    "threshold": ["nan", "inf", "-1", "2", "half", ""],
    "temperature": ["nan", "0", "-1", "inf", "1e9"],
    "members": ["0", "-1", "1.5", "1000000", "2"],
    "stride_px": ["0", "-16", "1000000000", "x"],
    "receptive_field_radius_px": ["-1", "1000000000", "nan"],
    "bands": ["", "red", "red,green,blue,nir"],
    "area_error": ["{", "[]", '{"blocks": -1}'],
    "band_histograms": ["7", "[7]", "[[]]", "null", "[" * 9999],
}

OUTPUTS: dict[str, dict[str, Any]] = {
    "NaN": {"last": models.to_glacier("Mul", "mean", "nan")},
    "negative numbers": {"last": models.to_glacier("Mul", "mean", "minus")},
    "200": {"last": models.to_glacier("Add", "mean", "large")},
    "two channels": {"last": models.to_glacier("Expand", "mean", "two"), "outputs": 2},
    "two channels that it does not state": {"last": models.to_glacier("Expand", "mean", "two")},
    "one number": {"last": [helper.make_node("ReduceMean", ["mean"], ["mid"], keepdims=0),
                            *models.to_glacier("Sigmoid", "mid")]},
    "half the size": {"last": [helper.make_node("MaxPool", ["mean"], ["half"], kernel_shape=[2, 1], strides=[2, 1]),
                               *models.to_glacier("Sigmoid", "half")]},
    "more memory than there is": {"last": models.GIANT},
    "a constant of terabytes": {"last": models.GIANT_CONSTANT},
}  # fmt: skip

GRAPHS: dict[str, dict[str, Any]] = {
    "a loop without end": {"change": models.endless_loop},
    "an operator of another domain": {"change": models.foreign_domain},
    "a function of its own": {"change": models.function},
    "a tensor that it does not hold": {"change": models.giant_claim},
    "20,000 operations": {"change": models.many_nodes},
    "weights beside it": {"change": models.external("weights.bin")},
    "weights in /etc/passwd": {"change": models.external("/etc/passwd")},
    "weights above its folder": {"change": models.external("../../../outside/keep.txt")},
    "random numbers": {"last": [helper.make_node("RandomUniformLike", ["mean"], ["glacier"])]},
    "operators of 2017": {"opset": 6},
    "operators of 2099": {"opset": 99},
    "an unknown operator": {"last": models.to_glacier("Evil", "mean")},
    "another number of bands": {"channels": 5},
}

FILES: dict[str, Callable[[Path], None]] = {
    "text": written(b"hello"), "nothing": written(b""), "a pickle": written(b"\x80\x04K\x01."),
    "a beginning alone": written(b"\x08\x08"), "numbers without end": written(b"\x08" + b"\xff" * 99),
    "a field beyond the end": written(b"\x3a\xff\xff\xff\xff\x0f"), "zeros": written(b"\0" * 4096),
    "a folder": in_its_place(Path.mkdir), "an endless device": in_its_place(lambda path: path.symlink_to("/dev/zero")),
}  # fmt: skip

CASES = [
    Case(door="model", name=f"{key} is {text[:20]!r}", change=made(metadata={key: text}), run="predict@2020",
         piece="model.onnx") for key, texts in METADATA.items() for text in texts
] + [
    Case(door="model", name=f"no {key}", change=made(without=key), run="predict@2020", piece=f"no {key}")
    for key in ("bands", "threshold", "stride_px", "data_md5")
] + [
    Case(door="model", name=f"it gives {name}", change=made(**how), run="predict@2020", piece="model.onnx")
    for name, how in OUTPUTS.items()
] + [
    Case(door="model", name=f"{run}: it holds {name}", change=made(**how), run=run, piece="model.onnx")
    for name, how in GRAPHS.items()
    for run in ("predict@2020", *(["evaluate"] if "weights" in name else []))
] + [
    Case(door="model", name=f"the file is {name}", change=change, run="predict@2020", piece="model.onnx")
    for name, change in FILES.items()
]  # fmt: skip
