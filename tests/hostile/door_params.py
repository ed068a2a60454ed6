"""The door ``params.yaml``: values that no site has, and files that are no parameters."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from sandbox import tiny
from tests.hostile.case import Case

Change = Callable[[Path], None]

NUMBERS: list[Any] = [float("nan"), -1, "many", None, [], True]
VALUES: dict[str, list[Any]] = {
    "site.name": ["", "../x", "a/b", "A", "x\ny", "<b>", None, 7],
    "site.title": ["", None, "a\nb", "\x1b[31mred", "x" * 201],
    "years": [[], [2021, 2020], [2020, 2020], [1], [9999], ["x"], "2020", None, [[2020]]],
    "training_years": [[], [1999], None],
    "grid.crs": [None, 7],
    "grid.pixel_size_m": [*NUMBERS[:5], 0],
    "grid.origin_m": [[1], "x", [None, 1]],
    "labels.boundary_ignore_m": NUMBERS[:5],
    "patches.size_px": [-1, 0, "x", 7, 1.5, None],
    "patches.folds": [0, -1, "x"],
    "train.epochs": [0, -1, "x", None],
    "train.threads": [0, "x"],
    "train.threshold": [0, 1, 2, "half"],
    "evaluate.year": [1999, "x"],
    "predict.model": ["../../model.onnx", "/etc/passwd", "https://example.org/m.onnx", None],
    "area.boundary_buffer_px": [-1, "x"],
    "report.rgb": [["red"], ["red", "green", "../x"], "rgb"],
    "prepare.bands": [[], ["red", "red"], None, ["elevation"]],
    "prepare.storage": ["pickle", None],
    "ingest.source": ["ftp", None, ["raster"]],
    "ingest.choice": [{"scenes_per_year": 10**9}, {"unknown": 1}],
    "ingest.season": [{"first": "13-01", "last": "12-01"}, {"first": "12-01"}],
    "ingest.stac": [{"profile": "x"}, {"profile": "earth-search", "url": "file:///etc/passwd"}],
}


def put(value: Any, dotted: str) -> Change:
    """Set one parameter."""

    def change(site: Path) -> None:
        content = yaml.safe_load((site / "params.yaml").read_text())
        *parts, last = dotted.split(".")
        target = content
        for part in parts:
            target = target[int(part) if part.isdecimal() else part]
        target[last] = value
        tiny.write_params(site, content)

    return change


def write(content: str | bytes) -> Change:
    """Put this in the place of the file."""

    def change(site: Path) -> None:
        (site / "params.yaml").write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def bomb(levels: int = 30) -> str:
    """Aliases that stand for 9 to the power of `levels` values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def in_place_of_the_file(make: Callable[[Path], None]) -> Change:
    """Put something else than a file there."""

    def change(site: Path) -> None:
        (site / "params.yaml").unlink()
        make(site / "params.yaml")

    return change


FILES: dict[str, tuple[Change, str]] = {
    "empty": (write(""), "break the schema"),
    "a list": (write("[1, 2]"), "break the schema"),
    "a text": (write("hello"), "break the schema"),
    "binary": (write(b"\x00\x01\xff\xfe"), "not valid YAML"),
    "Latin-1": (write("site: {title: H\xe9lan}".encode("latin-1")), "not valid YAML"),
    "a tab": (write("site:\n\tname: x"), "not valid YAML"),
    "two documents": (write("a: 1\n---\nb: 2"), "not valid YAML"),
    "an object of Python": (write("!!python/object/apply:os.system ['touch owned']"), "not valid YAML"),
    "a module of Python": (write("a: !!python/name:os.system"), "not valid YAML"),
    "aliases without end": (write(bomb()), "not valid YAML"),
    "an alias of itself": (write("a: &a [*a]"), "not valid YAML"),
    "an unknown alias": (write("a: *b"), "not valid YAML"),
    "a merge of aliases": (write(bomb(12) + "\n<<: {z: *a11}"), "not valid YAML"),
    "deep nesting": (write("[" * 20_000), "not valid YAML"),
    "conflict marks": (write("<<<<<<< HEAD\nyears: [2020]\n=======\nyears: [2021]\n>>>>>>> x\n"), "not valid YAML"),
    "a date that is none": (write("years: 2020-13-45"), "y"),
    "gigabytes": (in_place_of_the_file(lambda path: os.truncate(_made(path), 2**33)), "no file of parameters"),
    "a folder": (in_place_of_the_file(Path.mkdir), "no file of parameters"),
    "a pipe": (in_place_of_the_file(os.mkfifo), "no file of parameters"),
    "an endless device": (in_place_of_the_file(lambda path: path.symlink_to("/dev/zero")), "no file of parameters"),
    "a link to nothing": (in_place_of_the_file(lambda path: path.symlink_to("nowhere")), "absent"),
    "nothing": (in_place_of_the_file(lambda path: None), "absent"),
    "an unknown key": (put(1, "grid.pixel_size"), "pixel_size"),
    "an unknown section": (put({}, "constructor"), "constructor"),
}


def _made(path: Path) -> Path:
    path.touch()
    return path


CASES = [
    Case(door="params", name=f"{dotted} = {str(value)[:24]!r}", change=put(value, dotted), run="labels",
         piece=dotted.split(".")[0])
    for dotted, values in VALUES.items() for value in values
] + [
    Case(door="params", name=name, change=change, run="labels", piece=piece) for name, (change, piece) in FILES.items()
]  # fmt: skip
