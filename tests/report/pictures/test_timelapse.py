"""Time-lapse: its frames, their order and what they show."""

from __future__ import annotations

import io

import numpy as np
import pytest
import shapely
from PIL import Image

from stages.common.display import colours
from stages.common.drawing.maps import MapSize
from stages.common.geo.raster import read_grid
from stages.common.web_map.scenes import YearFiles
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


@pytest.fixture
def first_year(nine_years):
    """Files of the first year, the grid, and the size of a map of two pixels for one."""
    site, year = nine_years.parents[1], report_inputs.NINE_YEARS[0]
    maps = site / f"artifacts/predict/{year}"
    valid = site / f"artifacts/prepare/{year}/valid.tif"
    files = YearFiles(
        scene=valid, valid=valid, mask=maps / "mask.tif", probability=maps / "probability.tif", bands=(1, 1, 1),
        storage="sentinel2",
    )  # fmt: skip
    grid = read_grid(site / "artifacts/labels/glacier_id.tif")
    return files, grid, MapSize(width=2 * grid.width, height=2 * grid.height, pixel_size_m=grid.pixel_size_m / 2)


def square(grid, side_px, corner_px=10):
    """A square on the grid, its lower left so many pixels from that of the grid."""
    left, bottom, *_ = grid.bounds
    corner, side = corner_px * grid.pixel_size_m, side_px * grid.pixel_size_m
    return shapely.box(left + corner, bottom + corner, left + corner + side, bottom + corner + side)


def test_the_outline_is_that_of_the_stated_area_and_not_the_one_of_the_image(first_year):
    """The mask is the image's; area and outlines may rest on image and inventory together."""
    files, grid, size = first_year
    rows, columns = np.nonzero(timelapse.mapped_outline([square(grid, 10)], files, grid, size))
    assert (columns.min(), columns.max()) == (20 - 1, 39 + 1)
    assert (size.height - 1 - rows.max(), size.height - 1 - rows.min()) == (20 - 1, 39 + 1)
    assert not timelapse.mapped_outline([], files, grid, size).any()


def test_a_hole_of_a_pixel_is_no_outline_and_one_of_a_nunatak_is(first_year):
    files, grid, size = first_year

    def pixels(ice):
        return timelapse.mapped_outline([ice], files, grid, size).sum()

    whole = square(grid, 20)
    assert pixels(whole - square(grid, 1, corner_px=20)) == pixels(whole)
    assert pixels(whole - square(grid, 4, corner_px=18)) > pixels(whole)
