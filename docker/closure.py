"""What a stage's code reaches of `stages.common`: its dependencies in dvc.yaml and the files of its image.

As a program: write them into dvc.yaml, and into those of the models that sites start from (`make docs`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMON = "stages/common"
CODE_LINE = re.compile(r"      - ((?:\.\./)*)stages/")
"""How a dependency on code begins in a dvc.yaml, with the way to the root."""

RUN_BY = {"twin": ("ingest", "prepare", "labels", "patches")}
"""Stages that another one runs: the twins that a starting model learns from (`versions.starting_model`)."""


def code_of(stage: str, root: Path = ROOT) -> list[str]:
    """Return paths of all code that a stage runs: what it reaches of `stages.common`, and its own folder.

    Files of `stages/common` itself stand alone; of a sub-package the whole folder, whichever file is reached.
    """
    stages = RUN_BY.get(stage, (stage,))
    files = {path for name in stages for path in reached_files(name, root)}
    parts = {common_part(path) for path in files if path.startswith(f"{COMMON}/")}
    return [*sorted(parts), *(f"stages/{name}" for name in stages)]


def common_part(path: str) -> str:
    """Return the file or sub-package of `stages/common` that a file below it belongs to."""
    return "/".join(path.split("/")[:3])


def reached_files(stage: str, root: Path = ROOT, *, start: str = "*.py") -> set[str]:
    """Return the files of the repository that a stage's files `start` import, directly or not, also in functions."""
    waiting = [path.relative_to(root).as_posix() for path in (root / "stages" / stage).rglob(start)]
    reached: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += imported_files(root / path, root)
    return reached


@cache
def imported_files(path: Path, root: Path) -> tuple[str, ...]:
    """Return the files of this repository that a file imports, with the ``__init__.py`` of each package above."""
    names = _names(path.read_text(encoding="utf-8"))
    return tuple(sorted({file for name in names for file in module_files(name, root)}))


@cache
def _names(source: str) -> frozenset[str]:
    """Return the dotted names that the import statements of a program have."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(names)


def module_files(name: str, root: Path) -> Iterator[str]:
    """Yield the files that importing a module reads: itself, and the ``__init__.py`` of each package above it."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        place = Path(*parts[:depth])
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if (root / file).is_file():
                yield file.as_posix()


def with_code_of_stages(dvc_yaml: str, root: Path = ROOT) -> str:
    """Return the text of dvc.yaml with each stage's dependencies on code as its imports ask for; all else as it is."""
    lines: list[str] = []
    stage = ""
    for line in dvc_yaml.splitlines():
        if header := re.fullmatch(r"  (\w+):", line):
            stage = header[1]
        if not (code := CODE_LINE.match(line)):
            lines.append(line)
        elif not CODE_LINE.match(lines[-1]):
            lines += [f"      - {code[1]}{path}" for path in code_of(stage, root)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for pipeline in (ROOT / "dvc.yaml", *ROOT.glob("models/*/dvc.yaml")):
        pipeline.write_text(with_code_of_stages(pipeline.read_text(encoding="utf-8")), encoding="utf-8")
