"""Files of any version by their MD5, from DVC's cache, else from its remote. The working tree is not looked at."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from versions.tools.commands import readable_home


class Objects:
    """DVC's cache, and the remote behind it."""

    def __init__(self, site: Path) -> None:
        from dvc.repo import Repo

        os.environ.update(readable_home())
        logging.getLogger("dvc").setLevel(logging.ERROR)  # whoever asks for a file says what is absent
        self.repo: Any = Repo(str(site))
        self._cache: Any = self.repo.cache.local

    def close(self) -> None:
        """Close DVC's files."""
        self.repo.close()

    def file(self, md5: str) -> Path | None:
        """Return the file with this MD5, read-only in the cache; None where neither cache nor remote has it."""
        return Path(self._cache.oid_to_path(md5)) if self._has(md5) else None

    def folder(self, md5: str) -> Mapping[str, Path] | None:
        """Return the files of a folder by relative path; None where neither cache nor remote has all of them."""
        listing = self.listing(md5)
        files = {name: path for name, file_md5 in listing.items() if (path := self.file(file_md5)) is not None}
        return files if listing and len(files) == len(listing) else None

    def listing(self, md5: str) -> Mapping[str, str]:
        """Return the MD5 of a folder's files by relative path; empty where neither cache nor remote has the list."""
        from dvc_data.hashfile.hash_info import HashInfo
        from dvc_data.hashfile.tree import Tree

        if not self._has(md5):
            return {}
        tree = Tree.load(self._cache, HashInfo("md5", md5))
        return {"/".join(key): str(info.value) for key, _, info in tree}

    def _has(self, md5: str) -> bool:
        return bool(self._cache.exists(md5) or (self._pull(md5) and self._cache.exists(md5)))

    def _pull(self, md5: str) -> bool:
        """Whether the remote gave it. No remote, or one that does not answer, counts as one that lacks it."""
        from dvc.exceptions import DvcException
        from dvc_data.hashfile.hash_info import HashInfo

        try:
            return bool(self.repo.cloud.pull([HashInfo("md5", md5)]).transferred)
        except (DvcException, OSError):
            return False


def entry(lock: Mapping[str, Any], stage: str) -> Mapping[str, Any]:
    """Return a stage of dvc.lock; empty where it is absent."""
    return dict(lock.get(stage, {}))


def dep_md5(lock: Mapping[str, Any], stage: str, name: str) -> str | None:
    """Return the MD5 that dvc.lock records of a stage's dependency whose path ends with `name`, or None."""
    md5s = (dep.get("md5") for dep in entry(lock, stage).get("deps", []) if dep["path"].endswith(name))
    return next(md5s, None)


def code_md5(lock: Mapping[str, Any], stage: str) -> dict[str, str]:
    """Return the MD5 that dvc.lock records of each part of a stage's code, by its path in the repository."""
    deps = {dep["path"]: dep.get("md5", "") for dep in entry(lock, stage).get("deps", [])}
    return {path[path.index("stages/") :]: md5 for path, md5 in deps.items() if "stages/" in path}


def out_md5(lock: Mapping[str, Any], stage: str) -> str | None:
    """Return the MD5 that dvc.lock records of a stage's folder, or None."""
    md5s = (out.get("md5") for out in entry(lock, stage).get("outs", []) if out["path"].startswith("artifacts/"))
    return next(md5s, None)
