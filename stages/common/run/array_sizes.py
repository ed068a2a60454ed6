"""What an archive of arrays claims to hold, told from its headers before an array is read."""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import IO, Any

DEFLATE_RATIO_MAX = 1100
"""Most bytes that one byte of deflate can stand for: 1032 (zlib's technical details)."""


CHUNK_BYTES = 2**20
"""Bytes of an array that are read at once."""


def check_array_sizes(path: Path) -> None:
    """Refuse an npz file with arrays that it cannot hold, or that this machine cannot.

    Raises
    ------
    ValueError
        A header claims other bytes than its entry has, an entry more than its packed bytes can stand for, or all
        together are more than the machine's memory.
    OSError, zipfile.BadZipFile
        The file is not readable as an archive.
    """
    memory, claimed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), 0
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            claimed += entry.file_size
            if entry.file_size > DEFLATE_RATIO_MAX * max(entry.compress_size, 1):
                raise ValueError(f"{entry.filename} claims {entry.file_size} bytes in {entry.compress_size}")
            if claimed > memory:
                raise ValueError(f"its arrays claim more than this machine's memory of {memory} bytes")
            with archive.open(entry) as stream:
                _check_header(entry, stream)


def read_array_headers(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and dtype of each array of an npz file, by name, and read each to its end to check its checksum.

    No array is in memory as a whole.

    Raises
    ------
    ValueError, OSError, zipfile.BadZipFile, zlib.error
        The file is not readable as an archive of arrays.
    """
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as stream:
                shape, dtype = _read_header(stream)
                while stream.read(CHUNK_BYTES):
                    pass
            headers[entry.filename.removesuffix(".npy")] = (shape, str(dtype))
    return headers


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], Any]:
    from numpy.lib import format as npy

    read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def _check_header(entry: zipfile.ZipInfo, stream: IO[bytes]) -> None:
    shape, dtype = _read_header(stream)
    size = math.prod(shape) * dtype.itemsize
    if size != (left := entry.file_size - stream.tell()):
        raise ValueError(f"{entry.filename} claims {size} bytes of an array, and holds {left}")
