"""Change map: colours of its classes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.common.tables.kinds import MASK_NODATA
from stages.report.pictures import change_map, map_marks
from tests.report import report_inputs


def test_change_map_has_the_colours_of_its_classes():
    classes = np.repeat(np.array([[0, 1, 2, 3]], dtype=np.uint8), 3, axis=0)
    picture = change_map.change_picture(classes)
    assert [tuple(colour) for colour in picture[1].tolist()] == [
        colours.GROUND, colours.UNCHANGED, colours.LOST, colours.GAINED
    ]  # fmt: skip
    unseen = change_map.change_picture(np.full((16, 16), MASK_NODATA, dtype=np.uint8))
    assert set(map(tuple, unseen.reshape(-1, 3).tolist())) == {colours.GREY_DARK, colours.GREY_LIGHT}


def test_change_map_shows_where_the_tongue_went_back(nine_years):
    picture = np.asarray(Image.open(nine_years / "change_map.png").convert("RGB"))
    picture = picture[map_marks.BANNER_PX : -change_map.FOOT_PX]
    lost = (picture == colours.LOST).all(axis=2).sum()
    unchanged = (picture == colours.UNCHANGED).all(axis=2).sum()
    first, last = report_inputs.ice(0), report_inputs.ice(8)
    assert lost / unchanged == pytest.approx((first & ~last).sum() / last.sum(), rel=0.1)
