"""The site as it stands: what both versions are compared on. Read, never written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.errors import InputError
from stages.common.params.schema import Params
from versions.compare.objects import Objects

GLACIER_ID, AOI = "artifacts/labels/glacier_id.tif", "data/aoi.gpkg"


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A site's folder, its parameters and its lock."""

    site: Path
    params: Params
    lock: Mapping[str, Any]
    """Stages of its dvc.lock."""
    objects: Objects

    @property
    def split(self) -> Path:
        """Raster of the current split."""
        return self.site / f"artifacts/patches/{self.params.evaluate.year}/split.tif"

    def check(self) -> None:
        """Refuse a workspace without scenes, labels or split.

        Raises
        ------
        InputError
            One is absent.
        """
        scenes = [self.site / f"artifacts/prepare/{year}/scene.tif" for year in self.params.years]
        needed = [self.site / GLACIER_ID, self.site / AOI, self.split, *scenes]
        if absent := [path for path in needed if not path.is_file()]:
            raise InputError(
                "the workspace lacks what both versions are compared on", where=absent[0].relative_to(self.site),
                expected="scenes, labels and split of this site", found="nothing", fix="`make repro`, or `dvc pull`",
            )  # fmt: skip
