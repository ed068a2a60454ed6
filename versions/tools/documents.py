"""Reading YAML and JSON that DVC and the stages write; a document that is not valid is one error message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from stages.common.errors import InputError


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
        document = yaml.safe_load(content) or {}
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
    try:
        return dict(json.loads(path.read_bytes())) if path.exists() else {}
    except (ValueError, TypeError) as error:
        raise _not_valid("JSON", path.absolute(), error) from error


def _not_valid(expected: str, where: object, reason: object) -> InputError:
    name = Path(str(where)).name
    return InputError(
        f"{name} is not valid {expected}", where=where, found=" ".join(str(reason).split()),
        fix=f"finish the merge that left it so, or restore it: `git checkout -- {name}`",
    )  # fmt: skip
