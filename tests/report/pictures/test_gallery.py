"""Gallery: its years, outlines and differences."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.display import colours
from stages.report.pictures import gallery


@pytest.mark.parametrize(
    ("years", "chosen"),
    [
        pytest.param([2000], [2000], id="one"),
        pytest.param(list(range(2016, 2022)), list(range(2016, 2022)), id="six"),
        pytest.param(list(range(2000, 2011)), [2000, 2002, 2004, 2006, 2008, 2010], id="eleven"),
    ],
)
def test_gallery_takes_six_years_at_most_with_both_ends(years, chosen):
    assert gallery.spread_years(years) == chosen


def test_difference_tells_lost_gained_and_unseen_apart():
    prior = np.zeros((30, 30), dtype=bool)
    prior[5:25, 5:20] = True
    mask = np.zeros((30, 30), dtype=np.uint8)
    mask[5:25, 10:25] = 1
    mask[18:22] = 255
    picture = gallery.difference_picture(mask, prior)
    assert tuple(picture[10, 7]) == colours.LOST
    assert tuple(picture[10, 22]) == colours.GAINED
    assert tuple(picture[10, 14]) == colours.ICE
    assert tuple(picture[2, 2]) == colours.GROUND
    assert tuple(picture[20, 7]) in (colours.GREY_DARK, colours.GREY_LIGHT)


def test_outlines_that_agree_have_a_colour_of_their_own():
    prior = np.zeros((30, 30), dtype=bool)
    prior[5:25, 5:20] = True
    black = np.zeros((30, 30, 3), dtype=np.uint8)
    drawn = gallery.draw_both_outlines(black, prior, prior.astype(np.uint8))
    assert set(map(tuple, drawn.reshape(-1, 3).tolist())) == {colours.BLACK, colours.BOTH}
