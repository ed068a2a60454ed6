"""Rows that are read downwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import open_raster, write_cog
from stages.common.geo.rows import RowReader

GRID = Grid("EPSG:32644", Affine(10, 0, 350_000, 0, -10, 3_420_000), 700, 40)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(1, 9999, (2, *GRID.shape)).astype(np.uint16)
    write_cog(tmp_path / "scene.tif", pixels, GRID, nodata=0)
    return tmp_path / "scene.tif"


def test_strips_that_overlap_adjoin_or_leave_a_gap_are_the_scene(path: Path) -> None:
    with open_raster(path) as dataset:
        whole, reader = dataset.read(), RowReader(dataset, path)
        for start, stop in [
            (0, 96),
            (0, 96),
            (32, 128),
            (40, 60),
            (60, 200),
            (200, 260),
            (500, 700),
            (10, 30),
            (690, 700),
        ]:
            assert (reader.read(start, stop) == whole[:, start:stop]).all()


def test_a_spoilt_raster_is_named(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-400:] = b"\0" * 400
    path.write_bytes(content)
    with open_raster(path) as dataset, pytest.raises(InputError, match="not readable") as caught:
        RowReader(dataset, path).read(0, 700)
    assert caught.value.where == str(path)
