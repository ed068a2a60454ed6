"""Reading back the tables and documents that stages hand on; `stages.common.run.outputs` writes them."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def read_rows(path: Path, row: type[Model]) -> list[Model]:
    """Rows of a CSV file; an empty field is the column's default."""
    with path.open(encoding="utf-8", newline="") as stream:
        filled = ({key: value for key, value in line.items() if value != ""} for line in csv.DictReader(stream))
        return [row.model_validate(line) for line in filled]


def read_document(path: Path, model: type[Model]) -> Model:
    """A JSON document."""
    return model.model_validate_json(path.read_text(encoding="utf-8"))


def file_md5(path: Path) -> str:
    """MD5 of a file's bytes: an identity as DVC uses it, no protection."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
