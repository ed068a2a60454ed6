"""The doors of ``data/`` and of the artefacts: files that were damaged or exchanged between two stages."""

from __future__ import annotations

import importlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests import damage
from tests.hostile.case import Case
from tests.hostile.door_raster import giant, vrt
from tests.hostile.site import YEARS

Change = Callable[[Path], None]
INDEX = "data/scenes/2020/index.json"
ITEM = "data/scenes/2020/2020/2020.json"
BAND = "data/scenes/2020/2020/red.tif"


def on(path: str, harm: Callable[[Path], object]) -> Change:
    """Do harm to a file."""
    return lambda site: harm(site / path) and None


def written(path: str, content: Any) -> Change:
    """Put JSON or a text in the place of a file."""
    return lambda site: (site / path).write_text(content if isinstance(content, str) else json.dumps(content)) and None


def replaced(path: str, make: Callable[[Path], object]) -> Change:
    """Put something else in the place of a file."""

    def change(site: Path) -> None:
        (site / path).unlink()
        make(site / path)

    return change


def item(**assets: Any) -> Change:
    """Change the first asset of the stored item."""

    def change(site: Path) -> None:
        content = json.loads((site / ITEM).read_text())
        content["assets"]["red"] |= assets
        (site / ITEM).write_text(json.dumps(content))

    return change


STORED: dict[str, tuple[Change, str]] = {
    f"an item at {name!r}": (written(INDEX, {"year": 2020, "items": [name]}), "index.json" if not name else "outside")
    for name in ("../../../../outside/keep.txt", "/etc/passwd", "../2021/2021/2021.json")
} | {
    f"an asset at {href!r}": (item(href=href), "outside its folder")
    for href in ("/etc/passwd", "../../../../outside/keep.txt", "/vsicurl/http://127.0.0.1:9/x", "../../2021/x.tif")
} | {
    f"an asset at {href!r}": (item(href=href), "2020")
    for href in ("http://127.0.0.1:9/secret", "file:///etc/passwd", "s3://secret/x")
} | {
    f"bands stated as {bands!r}": (item(**{"raster:bands": bands}), "stored scene")
    for bands in ([], 7, [{}], [{"data_type": "uint8", "scale": "x", "offset": 0}], [None])
} | {
    "an index of junk": (written(INDEX, "{"), "index.json"),
    "an index without items": (written(INDEX, {"year": 2020, "items": []}), "index.json"),
    "an index of numbers": (written(INDEX, {"year": 2020, "items": [7]}), "index.json"),
    "a deep index": (written(INDEX, '{"items":' * 99_999), "index.json"),
    "an item of junk": (written(ITEM, "[]"), "2020.json"),
    "a deep item": (written(ITEM, '{"a":' * 99_999), "2020.json"),
    "an item without a time": (written(ITEM, {"type": "Feature", "id": "x"}), "2020.json"),
    "a band that is a VRT": (replaced(BAND, vrt("../../2021/2021/red.tif")), "not readable as a raster"),
    "a band that is a folder": (replaced(BAND, Path.mkdir), "red.tif"),
    "a band that is a pipe": (replaced(BAND, os.mkfifo), "red.tif"),
    "a band of 10,000 megapixels": (replaced(BAND, lambda path: giant(path, count=1)), "larger than any"),
}  # fmt: skip

AUXILIARY: dict[str, tuple[Change, str]] = {
    f"a DEM at {name!r}": (written("data/auxiliary/manifest.json", {"dem": name, "debris": None, "flow_lines": None}),
                           "manifest.json")
    for name in ("../../outside/keep.txt", "/etc/passwd", "/vsicurl/http://127.0.0.1:9/secret", "")
}  # fmt: skip


def archive(*entries: tuple[str, bytes], **changes: Any) -> Change:
    """Put another archive in the place of the training patches."""

    def change(site: Path) -> None:
        with zipfile.ZipFile(site / "artifacts/patches/2020/train.npz", "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in entries:
                file.writestr(name, content)

    return change


def header(shape: tuple[int, ...], dtype: str = "<u2", content: bytes = b"") -> bytes:
    """The header of an array that is not there."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue() + content


class _Touch:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch owned",))


def _pickled() -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array([_Touch()], dtype=object), allow_pickle=True)
    return stream.getvalue()


ARRAYS: dict[str, Change] = {
    "an array of 30 GB that is not there": archive(("image.npy", header((10_000, 1000, 1000, 3)))),
    "an array of more dimensions than there are": archive(("image.npy", header((2**40, 2**40)))),
    "a negative array": archive(("image.npy", header((-1, 7)))),
    "an archive that unpacks to a gigabyte": archive(("image.npy", header((2**29,), content=b"\0" * 2**20))),
    "an array of objects of Python": archive(("image.npy", _pickled())),
    "an archive of text": archive(("image.npy", b"hello")),
    "an archive of nothing": archive(),
    "an archive of a path": archive(("../../../outside/x.npy", header((0,)))),
}

STAGES = {
    "prepare@2020": "prepare", "labels": "labels", "patches@2020": "patches", "train": "train", "evaluate": "evaluate",
    "predict@2020": "predict", "area": "area", "report": "report",
}  # fmt: skip
PRESENT_BY_FIRST_BYTES = (".png", ".gif", ".h5", ".html")
"""Files of which a stage only looks at the first bytes, since nothing is read of them."""


UNSEEN = {
    ("area", "spoil_middle", "probability.tif"), ("area", "spoil_middle", "scene.tif"),
    ("area", "spoil_middle", "drift.json"), ("report", "spoil_middle", "drift_by_year.csv"),
    ("report", "spoil_middle", "probability.tif"),
    ("report", "spoil_middle", "change_2021.tif"),
}  # fmt: skip
"""Harm that no stage can see: in a free text, or in a part of a raster that is not read, such as its colours."""


def inputs(stage: str) -> list[str]:
    """Return the files that a stage declares as inputs, for the years of the site."""
    contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
    names = [name.replace("{year}", "2020").replace("{reference_year}", "2020") for name in contract.inputs]
    names = [name.replace("{evaluate_year}", "2020").replace("{model}", "artifacts/train/model.onnx") for name in names]
    names = [name.replace("{training_years}", "2020").replace("{years}", str(YEARS[-1])) for name in names]
    return [name for name in dict.fromkeys(names) if "{" not in name and not name.endswith(PRESENT_BY_FIRST_BYTES)]


def where_there(path: str, harm: Callable[[Path], None]) -> Change:
    """Do harm to a file; an optional one that the site lacks is put there as a text."""

    def change(site: Path) -> None:
        if (site / path).is_file():
            harm(site / path)
        else:
            (site / path).write_text("hello")

    return change


CASES = [
    Case(door="data", name=name, change=change, piece=piece, run="prepare@2020")
    for name, (change, piece) in STORED.items()
] + [
    Case(door="data", name=name, change=change, piece=piece, run="labels")
    for name, (change, piece) in AUXILIARY.items()
] + [
    Case(door="artifacts", name=f"train: {name}", change=change, piece="train.npz", run="train")
    for name, change in ARRAYS.items()
] + [
    Case(door="artifacts", name=f"{command}: {harm.__name__} {path}", change=where_there(path, harm), run=command,
         piece="" if path.startswith("data/scenes") else path.rpartition("/")[2])
    for command, stage in STAGES.items() for path in inputs(stage) for harm in damage.DAMAGES
    if (command, harm.__name__, path.rpartition("/")[2]) not in UNSEEN
]  # fmt: skip
