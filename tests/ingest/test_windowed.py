"""An image that cannot be placed on the map, or is cut short, is one that another scene replaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox import tiny
from stages.ingest.sources.acquisition import DamagedError
from stages.ingest.sources.safe.store import explain_read_errors
from stages.ingest.windowed import read_layer
from tests.ingest.candidates import region


def test_an_image_without_crs_rules_its_scene_out(tmp_path: Path) -> None:
    path = tiny.write_scene(tmp_path / "B02.tif", np.ones((1, 8, 8), np.uint16), crs=None)
    with pytest.raises(DamagedError, match="the image has no CRS") as caught:
        read_layer("B02", str(path), region(), where="B02.tif", nodata=0)
    assert (caught.value.where, caught.value.exit_code) == ("B02.tif", 2)


def test_an_image_of_a_product_that_is_cut_short_rules_its_scene_out(tmp_path: Path) -> None:
    path = tmp_path / "SCL_20m.jp2"
    path.write_bytes(b"\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 ")
    with pytest.raises(DamagedError, match="truncated or damaged"), explain_read_errors("SCL_20m.jp2"):
        read_layer("scl", str(path), region(), where="SCL_20m.jp2", nodata=0)
