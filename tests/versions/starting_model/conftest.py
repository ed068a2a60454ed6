"""A model of two small twins, made by its pipeline in a repository of its own; tests work on copies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import tiny
from tests.conftest import made_once
from tests.repository import commit, done, init

PARAMS: dict[str, Any] = {
    "seeds": [11, 12],
    "years": [2016],
    "grid": {"crs": "EPSG:32644", "pixel_size_m": 100},
    "prepare": {"bands": ["B03", "B11"], "storage": "sentinel2"},
    "labels": {"boundary_ignore_m": 50, "terminus_ignore_m": 400},
    "patches": {"size_px": 32, "margin_px": 8, "stride_px": 16, "block_rows_px": 24, "block_columns_px": 24,
                "buffer_px": 4},
    "train": {"base_channels": 4, "depth": 2, "stem": "full", "epochs": 1, "steps_per_epoch": 2, "batch_size": 2,
              "threads": 1},
}  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository after `dvc repro`, made once for all processes."""

    def make(root: Path) -> None:
        folder = root / "models/small"
        folder.mkdir(parents=True)
        for name in ("stages", "versions", "docker"):
            (root / name).symlink_to(tiny.ROOT / name)
        for name in (".dvcignore", ".gitignore"):
            shutil.copy(tiny.ROOT / name, root)
        shutil.copy(tiny.ROOT / "models/start/dvc.yaml", folder)
        (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
        init(root)
        (root / "log.txt").write_text(done(root, "dvc", "repro", "models/small/dvc.yaml"))
        commit(root, "first")

    return made_once(tmp_path_factory, "starting-model", make)


@pytest.fixture
def repository(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy", symlinks=True))
