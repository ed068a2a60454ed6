"""Time-lapse and gallery."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from stages.common.display import colours
from stages.report.pictures import gallery, map_marks, palette, timelapse
from stages.report.pictures.scenes import View
from tests.report import made_up


def test_gif_has_a_frame_a_year_shown_for_the_given_time(nine_years):
    with Image.open(nine_years / "glacier_retreat_timelapse.gif") as gif:
        assert gif.n_frames == len(made_up.NINE_YEARS)
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


@pytest.mark.parametrize("name", ["glacier_retreat_graph.png", "prediction_gallery.png"])
def test_simulated_mark_stands_on_pictures(nine_years, one_year, name):
    assert (np.asarray(Image.open(nine_years / name).convert("RGB"))[3, 3] == colours.VERMILLION).all()
    assert (np.asarray(Image.open(one_year / name).convert("RGB"))[3, 3] == colours.PAPER).all()


@pytest.mark.parametrize(
    ("view", "length_m", "length_px"),
    [
        pytest.param(View(width=800, height=600, pixel_size_m=30), 5000, 5000 / 30, id="24 km wide"),
        pytest.param(View(width=750, height=600, pixel_size_m=6), 1000, 1000 / 6, id="4.5 km wide"),
    ],
)
def test_scale_bar_matches_the_pixel_size(view, length_m, length_px):
    assert map_marks.scale_bar(view) == (length_m, pytest.approx(length_px))


def test_palette_keeps_our_colours_exactly_and_takes_the_nearest_for_others():
    noise = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    noise[0, : len(timelapse.OWN_COLOURS)] = timelapse.OWN_COLOURS
    entries = palette.joint_palette([noise], own=timelapse.OWN_COLOURS)
    shown = entries[palette.nearest(noise, entries)]
    assert (shown[0, : len(timelapse.OWN_COLOURS)] == timelapse.OWN_COLOURS).all()
    distance = ((noise[:, :, None].astype(int) - entries[None, None].astype(int)) ** 2).sum(axis=3).min(axis=2)
    assert (((noise.astype(int) - shown) ** 2).sum(axis=2) == distance).all()


@pytest.mark.parametrize(
    ("years", "chosen"),
    [
        pytest.param([2000], [2000], id="one"),
        pytest.param(list(range(2016, 2022)), list(range(2016, 2022)), id="six"),
        pytest.param(list(range(2000, 2011)), [2000, 2002, 2004, 2006, 2008, 2010], id="eleven"),
    ],
)
def test_gallery_takes_six_years_at_most_with_both_ends(years, chosen):
    assert gallery.chosen_years(years) == chosen


def test_difference_tells_lost_gained_and_unseen_apart():
    prior = np.zeros((30, 30), dtype=bool)
    prior[5:25, 5:20] = True
    mask = np.zeros((30, 30), dtype=np.uint8)
    mask[5:25, 10:25] = 1
    mask[18:22] = 255
    picture = gallery.difference(mask, prior)
    assert tuple(picture[10, 7]) == colours.LOST
    assert tuple(picture[10, 22]) == colours.GAINED
    assert tuple(picture[10, 14]) == colours.ICE
    assert tuple(picture[2, 2]) == colours.GROUND
    assert tuple(picture[20, 7]) in (colours.GREY_DARK, colours.GREY_LIGHT)


def test_outlines_that_agree_have_a_colour_of_their_own():
    prior = np.zeros((30, 30), dtype=bool)
    prior[5:25, 5:20] = True
    black = np.zeros((30, 30, 3), dtype=np.uint8)
    drawn = gallery.both_outlines(black, prior, prior.astype(np.uint8))
    assert set(map(tuple, drawn.reshape(-1, 3).tolist())) == {colours.BLACK, colours.BOTH}
