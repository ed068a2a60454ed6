"""Scenes whose pixels lie off the site's grid, and scenes of several sensors."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from affine import Affine

from sandbox import tiny
from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.params.schema import GridParams
from stages.common.scene.store import read_scenes
from stages.ingest.alignment import check_pixels, finest_grid, shift_px
from tests.ingest import spoil
from tests.ingest.test_ingest import ingest

CRS = "EPSG:32645"
PARAMS = GridParams(crs=CRS, pixel_size_m=30, origin_m=(0, 0))


def grid(left: float = 0, top: float = 0, *, size: float = 30, crs: str = CRS) -> Grid:
    return Grid(crs=crs, transform=Affine(size, 0, left, 0, -size, top), height=10, width=10)


@pytest.mark.parametrize(
    ("place", "shift"),
    [
        (grid(478020, 3108120), (0.0, 0.0)),
        (grid(478030, 3108140), (round(1 / 3, 4), round(-1 / 3, 4))),
        (grid(478025, 3108120), (round(1 / 6, 4), 0.0)),
        (grid(478025, 3108120, size=10), (0.0, 0.0)),
        (grid(478025, 3108120, crs="EPSG:32644"), (0.0, 0.0)),
        (grid(478020 + 1e-7, 3108120 - 1e-7), (0.0, 0.0)),
    ],
)
def test_how_far_pixels_lie_off(place: Grid, shift: tuple[float, float]) -> None:
    assert shift_px(place, PARAMS) == shift


def test_the_warning_offers_the_origin_with_which_nothing_is_off(caplog: pytest.LogCaptureFixture) -> None:
    off = grid(478000, 3108140)
    scenes = [("a", off), ("b", off)]
    with caplog.at_level(logging.WARNING):
        check_pixels(scenes, PARAMS)
    (record,) = caplog.records
    text = record.getMessage()
    assert "with grid.origin_m: [478000, 3108140]" in text
    fitted = PARAMS.model_copy(update={"origin_m": (478000.0, 3108140.0)})
    assert shift_px(off, fitted) == (0.0, 0.0)


def test_no_word_where_pixels_fit(caplog: pytest.LogCaptureFixture) -> None:
    check_pixels([("a", grid(60, 90))], PARAMS)
    assert not caplog.records


def test_two_sensors_in_one_site_are_refused() -> None:
    scenes = [("fine", grid(size=10)), ("coarse", grid(size=30))]
    with pytest.raises(InputError, match="sensors with different pixels") as caught:
        check_pixels(scenes, PARAMS)
    assert caught.value.found.startswith("10 in fine, 30 in coarse")


def test_ingest_says_so_of_stored_scenes(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ingest(site, spoil.setting([tiny.LEFT + 10, tiny.TOP], "grid", "origin_m"))
    message = capfd.readouterr().err
    assert "2 scene(s)" in message
    assert "0.33 px west off the site's grid" in message
    assert f"with grid.origin_m: [{tiny.LEFT:.0f}, " in message


def test_a_scene_without_any_of_the_bands_is_refused(site: Path) -> None:
    scene, *_ = read_scenes(site / "data/scenes/2020")
    assert finest_grid(scene, tiny.BANDS).transform.a == tiny.PIXEL_M
    with pytest.raises(InputError, match="none of the bands") as caught:
        finest_grid(scene, ["B03", "B11"])
    assert caught.value.exit_code == 2
    assert caught.value.expected == "prepare.bands: ['B03', 'B11']"
