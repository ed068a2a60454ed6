"""Reading back the tables and documents that stages hand on; `stages.common.run.outputs` writes them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from stages.common.errors import ContractError
from stages.common.yaml_text import load_yaml

Model = TypeVar("Model", bound=BaseModel)


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""How texts begin that a spreadsheet takes for formulas (OWASP, CSV injection)."""


def read_columns(path: Path) -> list[str]:
    """Return the names of the columns of a CSV file.

    Raises
    ------
    ContractError
        The file is absent, not in UTF-8 or not a table.
    """
    try:
        return next(csv.reader(io.StringIO(_read_text(path), newline="")), [])
    except csv.Error as error:  # a field of more than 128 kB: no table
        raise _unreadable(path, "comma-separated values", error) from error


def read_rows(path: Path, row: type[Model]) -> list[Model]:
    """Return the rows of a CSV file; an empty field, or a column that is absent, has the default.

    Raises
    ------
    ContractError
        The file is absent, cut short or not in UTF-8, or a value breaks its contract.
    """
    return [
        validate(row, {key: _plain(value) for key, value in fields.items() if value != ""}, where=f"{path}:{number}")
        for number, fields in _numbered_lines(path)
    ]


def read_document(path: Path, model: type[Model]) -> Model:
    """Return a JSON document.

    Raises
    ------
    ContractError
        The file is absent, cut short, not in UTF-8 or not valid JSON, or a value breaks its contract.
    """
    try:
        content = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "valid JSON", error) from error
    return validate(model, content, where=str(path))


def read_yaml_document(path: Path, model: type[Model]) -> Model:
    """Return a YAML document.

    Raises
    ------
    ContractError
        The file is absent, cut short, not in UTF-8 or not valid YAML, or a value breaks its contract.
    """
    try:
        content = load_yaml(_read_text(path))
    except yaml.YAMLError as error:
        raise _unreadable(path, "valid YAML", error) from error
    return validate(model, content, where=str(path))


def validate(model: type[Model], value: Any, *, where: str) -> Model:
    """Return `value` as `model`.

    Raises
    ------
    ContractError
        A value breaks its contract; the first one is named.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise ContractError(
            "a value breaks its contract",
            where=f"{where} {'.'.join(map(str, first['loc']))}",
            expected=first["msg"],
            found=repr(first.get("input"))[:200],
            fix="run the stage that makes it again",
        ) from error


def file_md5(path: Path) -> str:
    """Return the MD5 of a file's bytes: an identity as DVC uses it, no protection."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def folder_md5(folder: Path) -> str:
    """Return the hash of all files below a folder, as DVC records it in dvc.lock or a .dvc file."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    listing = [{"md5": file_md5(paths[name]), "relpath": name} for name in sorted(paths)]
    return f"{hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest()}.dir"


def _numbered_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the fields of each line by column, with the line's number in the file."""
    text = _read_text(path)
    if not text.endswith("\n"):  # a number that has lost its last digits is still a number
        raise _unreadable(path, "a line break at the end of the last line", f"a table cut short at {text[-40:]!r}")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader)
        for fields in reader:
            if len(fields) != len(columns):
                where = f"{path}:{reader.line_num}"
                raise _unreadable(where, f"{len(columns)} fields, one per column", f"{len(fields)} fields")
            yield reader.line_num, dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        raise _unreadable(f"{path}:{reader.line_num}", "comma-separated values", error) from error


def _plain(value: str) -> str:
    """Return a field without the apostrophe that keeps a spreadsheet from running it."""
    return value[1:] if value.startswith("'") and value.lstrip("'").startswith(FORMULA_STARTS) else value


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise _unreadable(path, "a file", "nothing") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, "text in UTF-8", error) from error


def _unreadable(where: object, expected: str, actual: object) -> ContractError:
    return ContractError(
        "the file is not readable",
        where=where,
        expected=expected,
        found=" ".join(str(actual).split())[:300],
        fix="run the stage that makes it again, or `dvc pull` it",
    )
