"""What identifies a state of the pipeline: the files `track` reads, and the parameters they were made with."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from stages.common.params import Params

Row = TypeVar("Row", bound=BaseModel)


def file_md5(path: Path) -> str:
    """MD5 of a file's bytes: an identity as DVC uses it, no protection."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def sections(params: Params, names: Iterable[str]) -> dict[str, Any]:
    """The named sections of the parameters as plain values, defaults included."""
    return params.model_dump(mode="json", include=set(names))


def state_md5(files: Iterable[Path], used: Mapping[str, Any]) -> str:
    """MD5 over each file's path and bytes, in the order of the paths, and the canonical JSON of the parameters."""
    digest = hashlib.md5(usedforsecurity=False)
    for path in sorted(files):
        digest.update(f"{path.as_posix()} {file_md5(path)}\n".encode())
    digest.update(json.dumps(used, sort_keys=True, separators=(",", ":")).encode())
    return digest.hexdigest()


def flatten(value: Any, prefix: str = "", *, separator: str = ".") -> dict[str, Any]:
    """Leaves of nested mappings under joined keys; lists are leaves.

    Examples
    --------
    >>> flatten({"train": {"depth": 4}, "years": [2016, 2017]})
    {'train.depth': 4, 'years': [2016, 2017]}
    """
    if not isinstance(value, Mapping):
        return {prefix: value}
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        leaves |= flatten(inner, f"{prefix}{separator}{key}" if prefix else str(key), separator=separator)
    return leaves


def read_rows(path: Path, row: type[Row]) -> list[Row]:
    """Rows of a checked CSV file; an empty field is None."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [row.model_validate({k: v for k, v in one.items() if v != ""}) for one in csv.DictReader(stream)]


def read_document(path: Path, model: type[Row]) -> Row:
    """A checked JSON file."""
    return model.model_validate_json(path.read_text(encoding="utf-8"))
