"""Identity of a state of the pipeline: the files that `track` reads, and the parameters that they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stages.common.run.records import file_md5


def state_md5(files: Iterable[Path], used: Mapping[str, Any]) -> str:
    """Return the MD5 over paths and bytes of the files, by path, and the canonical JSON of the parameters."""
    digest = hashlib.md5(usedforsecurity=False)
    for path in sorted(files):
        digest.update(f"{path.as_posix()} {file_md5(path)}\n".encode())
    digest.update(json.dumps(used, sort_keys=True, separators=(",", ":")).encode())
    return digest.hexdigest()
