"""Output folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from stages.common.run.records import FORMULA_STARTS
from stages.common.run.replace import SCRATCH, put_in_place, recover, replace_file, require_removable

if TYPE_CHECKING:
    from stages.common.types import AnyArray


@contextlib.contextmanager
def atomic_folder(folder: Path, *, scratch: Path = SCRATCH) -> Iterator[Path]:
    """Yield a fresh scratch folder that replaces `folder` when the block ends without an error.

    On an error nothing of it remains and an earlier `folder` stands as it was; what a killed run left is put right.

    Raises
    ------
    InputError
        An earlier `folder` is not this user's to change; that is seen before the work, too.
    """
    require_removable(folder)
    recover(folder)
    draft = scratch / "-".join(folder.parts).lstrip("/-")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        put_in_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_json(path: Path, value: BaseModel | Mapping[str, Any]) -> None:
    """Write JSON with sorted keys and a final newline; the rename at the end makes it whole or absent."""
    content = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    replace_file(draft, path)


@dataclass(frozen=True)
class ArrayParts:
    """An array that is made part by part while it is written, so that it need not be in memory as a whole."""

    shape: tuple[int, ...]
    dtype: str
    parts: Callable[[], Iterator[AnyArray]]
    """Gives its content in C order, each part of any shape."""


ARRAYS_LEVEL = 1
"""Effort of the compression of arrays: imagery becomes as small as at the usual 6, in 60 % of the processor time."""

ZIP_BYTES_MAX = 2_000_000_000
"""Array from which on a file says that it is Zip64: its compressed size may need it."""


def write_arrays(path: Path, arrays: Mapping[str, AnyArray | ArrayParts]) -> None:
    """Write arrays as a compressed npz whose bytes do not depend on Python's patch release.

    NumPy's own writer does: it forces Zip64, which zipfile marks in another way since Python 3.11.4. Only a part of an
    array is in memory at a time.
    """
    import zipfile

    import numpy as np
    from numpy.lib import format as npy

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=ARRAYS_LEVEL) as archive:
        for name, array in arrays.items():
            dtype = np.dtype(array.dtype)
            header = io.BytesIO()
            description = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": array.shape}
            npy.write_array_header_1_0(header, description)
            size = header.tell() + dtype.itemsize * math.prod(array.shape)
            # By its name it is dated 1980, as NumPy does.
            with archive.open(f"{name}.npy", "w", force_zip64=size > ZIP_BYTES_MAX) as stream:
                stream.write(header.getvalue())
                for part in array.parts() if isinstance(array, ArrayParts) else [array]:
                    stream.write(np.ascontiguousarray(part, dtype=dtype).tobytes())


def write_table(path: Path, rows: Sequence[BaseModel], row: type[BaseModel]) -> None:
    """Write rows as CSV with the columns of `row`; None becomes an empty field."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(row.model_fields), lineterminator="\n")
        writer.writeheader()
        for line in rows:
            writer.writerow({name: defused(value) for name, value in line.model_dump(mode="json").items()})


def defused(value: Any) -> Any:
    """Return a field of a table as it is written: a spreadsheet would run a text that begins as a formula does.

    Such a text gets an apostrophe, which `stages.common.run.records.read_rows` takes away again.
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(FORMULA_STARTS) else value
