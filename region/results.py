"""Where a region's results stand: a folder, or a store such as S3, through fsspec.

Every file of them appears whole or not at all.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from region.params import RegionParams
from stages.common.errors import InputError, StorageError
from stages.common.run.replace import replace_file
from stages.common.settings import without_secrets

REGION = "region.json"


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

    def claim(self, region: str) -> None:
        """Note that the results are of this region.

        Raises
        ------
        InputError
            They are of another one.
        """
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
            fix="make room, or let the store answer, and run the same command again",
        )  # fmt: skip


def as_json(value: dict[str, Any]) -> bytes:
    """Return JSON with sorted keys and a final newline."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def results_of(region: RegionParams) -> Results:
    """Return the place of the region's results; a folder is relative to the region's."""
    text = region.region.results
    return Results(text if "://" in text else str(region.path(text, where="region.results")))
