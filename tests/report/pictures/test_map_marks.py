"""Scale bar and mark of a simulated site."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.common.drawing.maps import MapSize
from stages.report.pictures import map_marks


@pytest.mark.parametrize(
    ("map_size", "length_m", "length_px"),
    [
        pytest.param(MapSize(width=800, height=600, pixel_size_m=30), 5000, 5000 / 30, id="24 km wide"),
        pytest.param(MapSize(width=750, height=600, pixel_size_m=6), 1000, 1000 / 6, id="4.5 km wide"),
    ],
)
def test_scale_bar_matches_the_pixel_size(map_size, length_m, length_px):
    assert map_marks.scale_bar(map_size) == (length_m, pytest.approx(length_px))


@pytest.mark.parametrize("name", ["glacier_retreat_graph.png", "prediction_gallery.png"])
def test_simulated_mark_stands_on_pictures(nine_years, one_year, name):
    assert (np.asarray(Image.open(nine_years / name).convert("RGB"))[3, 3] == colours.VERMILLION).all()
    assert (np.asarray(Image.open(one_year / name).convert("RGB"))[3, 3] == colours.PAPER).all()
