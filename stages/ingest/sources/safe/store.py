"""A SAFE product as files, in a folder or in the zip it came as, which is read where it lies and never unpacked."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from rasterio.errors import RasterioIOError

from stages.common.errors import InputError
from stages.ingest.sources.safe.metadata import XML_BYTES_MAX

ZIP_BYTES_MAX = 16 * 2**30
"""Unpacked; a real product has about one gigabyte."""

ZIP_RATIO_MAX = 200
"""Unpacked to packed, of a file above `RATIO_FROM_BYTES`: JPEG 2000 hardly shrinks, metadata about 20 times."""

RATIO_FROM_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Store:
    """Files of one product."""

    path: Path
    """Folder or zip."""
    root: str
    """Folder inside the zip; empty for a folder."""
    names: tuple[str, ...]
    """Files, relative to the product's folder, sorted."""

    @property
    def zipped(self) -> bool:
        """Whether it is a zip."""
        return self.path.is_file()

    def find(self, pattern: str) -> list[str]:
        """Names that match; ``*`` stands for any characters."""
        return [name for name in self.names if fnmatchcase(name, pattern)]

    def read(self, name: str) -> bytes:
        """A small file; one byte too many is read of one that is too large."""
        if not self.zipped:
            with (self.path / name).open("rb") as stream:
                return stream.read(XML_BYTES_MAX + 1)
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.root + name) as stream:
                return stream.read(XML_BYTES_MAX + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise _damaged(self.path, error) from error

    def where(self, name: str) -> str:
        """A file as people name it."""
        return f"{self.path}: {self.root}{name}" if self.zipped else str(self.path / name)

    def gdal(self, name: str) -> str:
        """A file as GDAL names it."""
        return f"/vsizip/{{{self.path}}}/{self.root}{name}" if self.zipped else str(self.path / name)


def stores(folder: Path) -> Iterator[Store]:
    """All products in a folder and its subfolders, by name.

    Raises
    ------
    InputError
        The folder is absent or holds none, or a zip is damaged or not to be trusted.
    """
    found = [folder] if folder.suffix == ".SAFE" else [*folder.rglob("*.SAFE"), *folder.rglob("*.zip")]
    if not folder.is_dir() or not found:
        raise InputError(
            "there is no Sentinel-2 product",
            where=folder,
            expected="folders called ….SAFE, or zips of them, as the Copernicus Data Space gives them",
            found="nothing of the kind" if folder.is_dir() else "no such folder",
            fix="set ingest.safe.folder to where the downloads are",
        )
    for path in sorted(found, key=lambda one: (one.name, str(one))):
        if path.is_dir():
            files = sorted(str(PurePosixPath(file.relative_to(path))) for file in path.rglob("*") if file.is_file())
            yield Store(path=path, root="", names=tuple(files))
        else:
            yield from _zipped(path)


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn what GDAL says of an image that cannot be read into an error.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        yield
    except RasterioIOError as error:
        raise InputError(
            "an image of the product is truncated or damaged",
            where=where,
            expected="a JPEG 2000 file",
            found=" ".join(str(error).split()),
            fix="download the product again",
        ) from error


def _zipped(path: Path) -> Iterator[Store]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise _damaged(path, error) from error
    check_entries(path, entries)
    names = sorted(entry.filename for entry in entries if not entry.is_dir())
    roots = sorted({name.partition(".SAFE/")[0] + ".SAFE/" for name in names if ".SAFE/" in name})
    if not roots:
        raise _damaged(path, "no folder called ….SAFE in it")
    for root in roots:
        inside = tuple(name.removeprefix(root) for name in names if name.startswith(root))
        yield Store(path=path, root=root, names=inside)


def check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse a zip that would reach out of its folder or swell.

    Raises
    ------
    InputError
        A name leads outside, an entry is a link, or sizes are beyond any real product's.
    """
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or (parts.parts and ":" in parts.parts[0]):
            raise _untrusted(path, "names inside its own folder", entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _untrusted(path, "plain files", f"a link, {entry.filename}")
        if entry.file_size > RATIO_FROM_BYTES and entry.file_size > ZIP_RATIO_MAX * max(entry.compress_size, 1):
            raise _untrusted(
                path, f"at most {ZIP_RATIO_MAX} bytes of each", f"{entry.file_size} from {entry.compress_size} bytes"
            )
    if (size := sum(entry.file_size for entry in entries)) > ZIP_BYTES_MAX:
        raise _untrusted(path, f"at most {ZIP_BYTES_MAX} bytes unpacked", size)


def _untrusted(path: Path, expected: str, found: object) -> InputError:
    return InputError(
        "the zip is not to be trusted",
        where=path,
        expected=expected,
        found=found,
        fix="download the product from the Copernicus Data Space",
    )


def _damaged(path: Path, found: object) -> InputError:
    return InputError(
        "the zip is damaged or holds no Sentinel-2 product",
        where=path,
        expected="a zip with one folder called ….SAFE",
        found=f"{path.stat().st_size} bytes: {' '.join(str(found).split())}",
        fix="download it again",
    )
