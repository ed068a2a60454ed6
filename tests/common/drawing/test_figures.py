"""Figures: bytes that do not change, and the banner of a simulated site."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from stages.common.drawing.figures import EDGE_PX, encode_png, new_figure, plain_style, small_chart


def test_png_bytes_hold_no_software_and_do_not_change():
    def draw():
        with plain_style():
            figure = new_figure(2, 1, simulated=False)
            figure.add_axes((0.2, 0.2, 0.7, 0.7)).plot([1, 2])
            return encode_png(figure)

    assert draw() == draw()
    assert Image.open(io.BytesIO(draw())).info.keys() == {"dpi"}


@pytest.mark.parametrize("simulated", [True, False])
def test_banner_stands_on_simulated_figures_alone(simulated):
    with plain_style():
        picture = np.asarray(Image.open(io.BytesIO(encode_png(new_figure(4, 2, simulated=simulated)))).convert("RGB"))
    assert ((picture[3, 3] == (213, 94, 0)).all()) == simulated


@pytest.mark.parametrize("value", [0.5, 51.25, -123456.75])
def test_no_label_is_cut_off_however_long_the_numbers_are(value):
    def draw(axes):
        axes.set_yticks([value], [str(value)])
        axes.set_ylabel("Area (km²)")

    picture = np.asarray(Image.open(io.BytesIO(small_chart("Chart", draw, simulated=False))).convert("L"))
    assert (picture[:, : EDGE_PX - 2] == 255).all()
    assert (picture[:, EDGE_PX : 8 * EDGE_PX] < 128).any()
