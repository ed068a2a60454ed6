"""Time-lapse: its frames, their order and what they show."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.report.pictures import map_marks, timelapse
from tests.report import report_inputs


def test_gif_has_a_frame_a_year_shown_for_the_given_time(nine_years):
    with Image.open(nine_years / "glacier_retreat_timelapse.gif") as gif:
        assert gif.n_frames == len(report_inputs.NINE_YEARS)
        assert gif.info["duration"] == 1000
        assert gif.info["loop"] == 0
        assert gif.width <= 900


def test_gif_of_one_year_has_one_frame(one_year):
    content = (one_year / "glacier_retreat_timelapse.gif").read_bytes()
    assert content.startswith(b"GIF89a")
    assert Image.open(io.BytesIO(content)).n_frames == 1


def test_frames_show_this_year_and_the_first(nine_years):
    with Image.open(nine_years / "glacier_retreat_timelapse.gif") as gif:
        gif.seek(gif.n_frames - 1)
        last = np.asarray(gif.convert("RGB"))
    picture = last[map_marks.BANNER_PX + timelapse.HEAD_PX : -timelapse.FOOT_PX]
    for colour in (colours.THIS_YEAR, colours.REFERENCE):
        assert (picture == colour).all(axis=2).sum() > 500
    # The ice shrank by 8 rows at the top: 40 px of the picture between the two outlines.
    middle = picture[:, 70 * 5 + 2]
    first = np.flatnonzero((middle == colours.REFERENCE).all(axis=1))[0]
    this = np.flatnonzero((middle == colours.THIS_YEAR).all(axis=1))[0]
    assert this - first == pytest.approx(8 * 5, abs=2)


def test_simulated_mark_stands_on_every_frame(nine_years, one_year):
    with Image.open(nine_years / "glacier_retreat_timelapse.gif") as gif:
        for index in range(gif.n_frames):
            gif.seek(index)
            assert (np.asarray(gif.convert("RGB"))[2, 2] == colours.VERMILLION).all()
    with Image.open(one_year / "glacier_retreat_timelapse.gif") as gif:
        assert (np.asarray(gif.convert("RGB"))[2, 2] == colours.PAPER).all()
