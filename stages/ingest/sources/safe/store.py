"""A SAFE product as files, in a folder or in the zip it was downloaded as, which is never unpacked."""

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
from stages.ingest.sources.acquisition import DamagedError
from stages.ingest.sources.safe.metadata import XML_BYTES_MAX

ZIP_BYTES_MAX = 16 * 2**30
"""Largest size of a product, unpacked; a real product has about one gigabyte."""

ZIP_RATIO_MAX = 200
"""Largest ratio of unpacked to packed size, of files above `RATIO_FROM_BYTES`: JPEG 2000 hardly shrinks, metadata about
20 times."""

RATIO_FROM_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Store:
    """Files of one product."""

    path: Path
    """Folder or zip of the product."""
    root: str
    """Name of the product's folder inside the zip; empty where `path` is a folder."""
    names: tuple[str, ...]
    """Names of all files, relative to the product's folder, sorted."""

    @property
    def zipped(self) -> bool:
        """Whether the product is in a zip."""
        return self.path.is_file()

    def find(self, pattern: str) -> list[str]:
        """Return the names that match `pattern`, in which ``*`` stands for any characters."""
        return [name for name in self.names if fnmatchcase(name, pattern)]

    def read(self, name: str) -> bytes:
        """Return the content of a metadata file, at most one byte more than is permitted.

        Raises
        ------
        InputError
            The zip is damaged.
        """
        if not self.zipped:
            with (self.path / name).open("rb") as stream:
                return stream.read(XML_BYTES_MAX + 1)
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.root + name) as stream:
                return stream.read(XML_BYTES_MAX + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise _damaged(self.path, error) from error

    def label(self, name: str) -> str:
        """Return the name of a file in messages."""
        return f"{self.path}: {self.root}{name}" if self.zipped else str(self.path / name)

    def gdal_path(self, name: str) -> str:
        """Return the name under which GDAL opens a file."""
        return f"/vsizip/{{{self.path}}}/{self.root}{name}" if self.zipped else str(self.path / name)


def of_a_mac(name: str) -> bool:
    """Return whether macOS has left a file beside the real ones: ``__MACOSX/…``, ``._name`` or ``.DS_Store``."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith("._") or part == ".DS_Store" for part in parts)


def product_paths(folder: Path) -> list[Path]:
    """Return the folders and zips of all products in a folder and its subfolders, by name.

    Raises
    ------
    InputError
        The folder is absent or holds no product.
    """
    paths = [folder] if folder.suffix == ".SAFE" else [*folder.rglob("*.SAFE"), *folder.rglob("*.zip")]
    paths = [path for path in paths if not of_a_mac(str(path.relative_to(folder)))]
    if not folder.is_dir() or not paths:
        raise InputError(
            "there is no Sentinel-2 product",
            where=folder,
            expected="folders called ….SAFE, or zips of them, as the Copernicus Data Space gives them",
            found="no product" if folder.is_dir() else "no such folder",
            fix="set ingest.safe.folder to where the downloads are",
        )
    return sorted(paths, key=lambda path: (path.name, str(path)))


def stores(path: Path) -> Iterator[Store]:
    """Yield the products in a path of `product_paths`: one of a folder, any number of a zip.

    Raises
    ------
    InputError
        A zip is damaged.
    UntrustedError
        A zip cannot be trusted.
    """
    if path.is_dir():
        files = sorted(str(PurePosixPath(file.relative_to(path))) for file in path.rglob("*") if file.is_file())
        yield Store(path=path, root="", names=tuple(name for name in files if not of_a_mac(name)))
    else:
        yield from _zipped(path)


@contextmanager
def explain_read_errors(where: str) -> Iterator[None]:
    """Turn GDAL's error on an image that cannot be read into one that names the fix.

    Raises
    ------
    DamagedError
        The image cannot be read.
    """
    try:
        yield
    except RasterioIOError as error:
        raise DamagedError(
            "an image of the product is truncated or damaged",
            where=where,
            expected="a JPEG 2000 file",
            found=" ".join(str(error).split()),
            fix="download the product again, or name it in ingest.choice.leave_out",
        ) from error


def _zipped(path: Path) -> Iterator[Store]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise _damaged(path, error) from error
    check_zip_entries(path, entries)
    names = sorted(entry.filename for entry in entries if not entry.is_dir() and not of_a_mac(entry.filename))
    roots = sorted({name.partition(".SAFE/")[0] + ".SAFE/" for name in names if ".SAFE/" in name})
    if not roots:
        raise _damaged(path, "it holds no folder called ….SAFE")
    for root in roots:
        files = tuple(name.removeprefix(root) for name in names if name.startswith(root))
        yield Store(path=path, root=root, names=files)


def check_zip_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse a zip whose files would lie outside its folder, or that is a zip bomb.

    Raises
    ------
    UntrustedError
        A name leads outside the folder, an entry is a link, or sizes are beyond those of any real product.
    """
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or (parts.parts and ":" in parts.parts[0]):
            raise _untrusted(path, "only names inside its own folder", entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _untrusted(path, "only plain files", f"a link, {entry.filename}")
        if entry.file_size > RATIO_FROM_BYTES and entry.file_size > ZIP_RATIO_MAX * max(entry.compress_size, 1):
            raise _untrusted(
                path,
                f"at most {ZIP_RATIO_MAX} bytes unpacked per byte",
                f"{entry.file_size} from {entry.compress_size} bytes",
            )
    if (size := sum(entry.file_size for entry in entries)) > ZIP_BYTES_MAX:
        raise _untrusted(path, f"at most {ZIP_BYTES_MAX} bytes unpacked", size)


class UntrustedError(InputError):
    """A zip is made to do harm: nothing of its folder is used."""


def _untrusted(path: Path, expected: str, actual: object) -> UntrustedError:
    return UntrustedError(
        "the zip cannot be trusted",
        where=path,
        expected=expected,
        found=actual,
        fix="download the product from the Copernicus Data Space",
    )


def _damaged(path: Path, actual: object) -> InputError:
    return InputError(
        "the zip is damaged or holds no Sentinel-2 product",
        where=path,
        expected="a zip with one folder called ….SAFE",
        found=f"{path.stat().st_size} bytes: {' '.join(str(actual).split())}",
        fix="download it again",
    )
