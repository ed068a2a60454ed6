"""What identifies a state of the pipeline: the files `track` reads, and the parameters they were made with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stages.common.params.schema import Params
from stages.common.run.records import file_md5


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
