"""Where a region's results stand: a folder, or a store such as S3, through fsspec.

A cell is done where its manifest stands. It is written last: a kill leaves a cell that does not count, and never
half a cell. A cell's place is named by the hash of what it is made of.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from region.params import RegionParams
from stages.common.errors import InputError, StorageError
from stages.common.run.replace import flush, replace_file
from stages.common.settings import without_secrets

MANIFEST, REGION = "manifest.json", "region.json"
PART_BYTES = 2**20


@dataclass(frozen=True)
class Results:
    """A place for results."""

    url: str

    @property
    def store(self) -> tuple[Any, str]:
        """The file system, and the path of the results on it."""
        system, path = fsspec.core.url_to_fs(self.url)
        return system, str(path).rstrip("/")

    @property
    def folder(self) -> Path | None:
        """The folder of the results; None in a store."""
        system, path = self.store
        return Path(path) if "file" in _protocols(system) else None

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None where it is absent."""
        system, root = self.store
        try:
            return bytes(system.cat_file(f"{root}/{name}"))
        except FileNotFoundError:
            return None
        except Exception as error:  # each store has errors of its own
            raise self._failed("cannot be read", name, error) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file: whole or not at all."""
        system, root = self.store
        try:
            if self.folder is None:
                system.pipe_file(f"{root}/{name}", content)  # a store shows an object when it is whole
                return
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}.part")
            draft.write_bytes(content)
            replace_file(draft, path)
        except Exception as error:
            raise self._failed("cannot be written", name, error) from error

    def manifest(self, place: str) -> dict[str, Any] | None:
        """Return the manifest of a cell that is done; None: it is not."""
        content = self.read(f"{place}/{MANIFEST}")
        return None if content is None else dict(json.loads(content))

    def manifests(self, most: int = 50) -> list[dict[str, Any]]:
        """Return the manifests of some finished cells, at most so many."""
        system, root = self.store
        system.invalidate_cache()
        paths = sorted(system.glob(f"{root}/cells/*/*/{MANIFEST}"))[:most]
        return [json.loads(system.cat_file(path)) for path in paths]

    def put_cell(self, place: str, folder: Path, manifest: dict[str, Any]) -> None:
        """Write a cell's files, and last the manifest that lists them."""
        system, root = self.store
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        try:
            for name, path in files.items():
                system.makedirs(f"{root}/{place}/{name}".rsplit("/", 1)[0], exist_ok=True)
                system.put_file(str(path), f"{root}/{place}/{name}")
            if self.folder is not None:
                flush(self.folder / place)  # before the manifest that says that it is there
        except Exception as error:
            raise self._failed("cannot be written", place, error) from error
        listed = {name: {"bytes": path.stat().st_size, "md5": _md5(path)} for name, path in files.items()}
        self.write(f"{place}/{MANIFEST}", as_json(manifest | {"files": listed}))

    def claim(self, region: str) -> None:
        """Note that the results are of this region.

        Raises
        ------
        InputError
            They are of another one, or a file stands in their place.
        """
        if self.folder is not None and any(place.is_file() for place in (self.folder, *self.folder.parents)):
            raise InputError(
                "the results are to stand where a file is", where=self.url, expected="a folder, or a new name",
                found="a file", fix="give region.results another place",
            )  # fmt: skip
        content = self.read(REGION)
        owner = None if content is None else json.loads(content).get("region")
        if owner not in (None, region):
            raise InputError(
                "the results are of another region", where=self.url, expected=region, found=owner,
                fix="give region.results of this region a place of its own",
            )  # fmt: skip
        if owner is None:
            self.write(REGION, as_json({"region": region}))

    def _failed(self, what: str, name: str, error: Exception) -> StorageError:
        return StorageError(
            f"the results {what}", where=f"{self.url}/{name}",
            found=without_secrets(" ".join(f"{type(error).__name__}: {error}".split())[:300]),
            fix="make room, or let the store answer, and run the same command again: finished cells stay",
        )  # fmt: skip


def as_json(value: dict[str, Any]) -> bytes:
    """Return JSON with sorted keys and a final newline."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while part := stream.read(PART_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def results_of(region: RegionParams) -> Results:
    """Return the place of the region's results; a folder is relative to the region's."""
    text = region.region.results
    return Results(text if "://" in text else str(region.path(text, where="region.results")))
