"""Where the map's ground lies on Earth, what its source is called, and that its text cannot end a script element."""

from __future__ import annotations

import json

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from stages.common.geo.grid import Grid
from stages.common.web_map.document import GLOBE_POINTS, as_script_text, directions


@pytest.mark.parametrize(
    ("crs", "left", "top"),
    [("EPSG:32644", 322_000, 3_422_000), ("EPSG:3413", -8_000, 8_000), ("EPSG:32601", 166_000, 7_000_000)],
    ids=["Himalaya", "the North Pole", "at the date line"],
)
def test_positions_between_the_points_are_right(crs: str, left: float, top: float) -> None:
    """In the middle of a cell the mean of its four corners is within a metre of the place itself."""
    grid = Grid(crs=crs, transform=Affine(10, 0, left, 0, -10, top), height=1600, width=1600)
    vectors = np.reshape(directions(grid), (GLOBE_POINTS, GLOBE_POINTS, 3))
    middle = vectors[2:4, 5:7].reshape(4, 3).mean(axis=0)
    lat, lon = np.degrees([np.arctan2(middle[2], np.hypot(*middle[:2])), np.arctan2(middle[1], middle[0])])
    cell_m = 16_000 / (GLOBE_POINTS - 1)
    x, y = left + 5.5 * cell_m, top - 16_000 + 2.5 * cell_m
    back = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    assert np.hypot(back[0] - x, back[1] - y) < 1


def test_the_text_cannot_end_its_script_element() -> None:
    hostile = {"name": "</script><script>alert(1)</script><!-- &amp;"}
    text = as_script_text(hostile)
    assert not set("<>&") & set(text)
    assert json.loads(text) == hostile
