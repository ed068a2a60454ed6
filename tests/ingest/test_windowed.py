"""An image that cannot be placed on the map, or is cut short, is one that another scene replaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from sandbox import tiny
from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.ingest.region import require_one_side
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


@pytest.mark.parametrize(("crs", "left"), [("EPSG:32660", 641_406.0), ("EPSG:32601", 358_593.0)])
def test_a_site_ends_before_the_180th_meridian(crs: str, left: float) -> None:
    """At 65 degrees north the meridian is 141.4 km from the middle of the zones 60 and 1; the site is 4.8 km wide."""

    def site(left: float) -> Grid:
        return Grid(crs=crs, transform=Affine(30, 0, left, 0, -30, 7_214_000), height=160, width=160)

    require_one_side(site(left - 4800 - 3000 if crs == "EPSG:32660" else left + 3000))
    for across_m in (-4800, -2400, 0):
        with pytest.raises(InputError, match="180th meridian"):
            require_one_side(site(left + across_m))
