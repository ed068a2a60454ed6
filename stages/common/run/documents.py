"""Reading YAML and JSON that DVC and git keep; a document that is not valid, or of another shape, is one message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from stages.common.errors import InputError
from stages.common.yaml_text import load_yaml


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file (dvc.lock, a ``.dvc`` file), or nothing where it is absent.

    Raises
    ------
    InputError
        It is not valid YAML, as with the marks of an unfinished merge.
    """
    return parse_yaml(path.read_bytes(), path.absolute()) if path.exists() else {}


def parse_yaml(content: bytes | str, where: object) -> dict[str, Any]:
    """Return what YAML holds; nothing where it is empty.

    Raises
    ------
    InputError
        It is not valid YAML, or holds something else than names and values.
    """
    try:
        document = load_yaml(content) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _not_valid("YAML", where, error) from error
    if not isinstance(document, dict):
        raise _not_valid("YAML with names and values", where, type(document).__name__)
    return document


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file, or nothing where it is absent.

    Raises
    ------
    InputError
        It is not valid JSON, as with the marks of an unfinished merge.
    """
    return parse_json(path.read_bytes(), path.absolute()) if path.exists() else {}


def parse_json(content: bytes, where: object) -> dict[str, Any]:
    """Return what JSON holds.

    Raises
    ------
    InputError
        It is not valid JSON, or holds something else than names and values.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _not_valid("JSON", where, error) from error
    if not isinstance(document, dict):
        raise _not_valid("JSON with names and values", where, type(document).__name__)
    return document


def pinned_outputs(path: Path) -> list[dict[str, Any]]:
    """Return the outputs of a ``.dvc`` file, as ``{path: data/aoi.gpkg, md5: ...}``; none where it is absent.

    Raises
    ------
    InputError
        It is not valid YAML, or not a list of outputs with a path each.
    """
    outputs = read_yaml(path).get("outs") or []
    if not isinstance(outputs, list) or not all(isinstance(output, dict) and "path" in output for output in outputs):
        raise _not_valid("YAML as DVC writes it: outs, each with a path", path.absolute(), f"outs: {outputs}")
    return outputs


def locked_stages(path: Path) -> dict[str, dict[str, Any]]:
    """Return the stages of a ``dvc.lock``; none where it is absent.

    Raises
    ------
    InputError
        As `parse_lock`.
    """
    return parse_lock(path.read_bytes(), path.absolute()) if path.exists() else {}


def parse_lock(content: bytes | str, where: object) -> dict[str, dict[str, Any]]:
    """Return the stages that the content of a ``dvc.lock`` holds; none where it is empty.

    Raises
    ------
    InputError
        It is not valid YAML, or its stages are not what DVC writes.
    """
    stages = parse_yaml(content, where).get("stages") or {}
    if not isinstance(stages, dict) or not all(isinstance(stage, dict) for stage in stages.values()):
        raise _not_valid("YAML as DVC writes it: stages, each with cmd, deps and outs", where, stages)
    return stages


def _not_valid(expected: str, where: object, reason: object) -> InputError:
    name = Path(str(where)).name
    return InputError(
        f"{name} is not valid {expected}", where=where, found=" ".join(str(reason).split())[:300],
        fix=f"finish the merge that left it so, or restore it: `git checkout -- {name}`",
    )  # fmt: skip
