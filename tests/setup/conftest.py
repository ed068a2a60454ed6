"""A repository without sites, and words for `make site`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox import tiny

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "sites").mkdir(parents=True)
    shutil.copy(REPOSITORY / "dvc.yaml", folder)
    for name in ("stages", "docker"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The painted site of the tests: 160 x 160 px of 30 m in three years, two glaciers."""
    for year in (2019, 2020, 2021):
        tiny.write_scene(tmp_path / f"in put/scene_{year}1015.tif", tiny.scene(year))
    outlines = tiny.write_outlines(tmp_path / "in put/outlines.gpkg")
    return ["NAME=mine", f"SCENES='{tmp_path}/in put/scene_*.tif'", f"OUTLINES={outlines}"]
