"""Pixels as `ingest` writes them: clipped, scaled, void, in tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from sandbox import tiny
from stages.common.scene.store import read_scenes
from tests.ingest import spoil
from tests.ingest.run_ingest import ingest, pixels
from tests.ingest.spoil import Spoiler


def test_pixels_are_clipped_and_not_resampled(site: Path) -> None:
    left, top, px = tiny.LEFT + 40 * tiny.PIXEL_M, tiny.TOP - 50 * tiny.PIXEL_M, tiny.PIXEL_M
    ingest(site, spoil.setting([left, top - 30 * px, left + 20 * px, top], "ingest", "aoi", "bounds"))

    (scene,) = read_scenes(Path("data/scenes/2020"))

    assert list(scene.bands) == sorted(tiny.BANDS)
    with rasterio.open(scene.bands["red"].path) as dataset:
        assert dataset.transform.c == left - 4 * px
        assert dataset.transform.f == top + 4 * px
        assert (dataset.read(1) == tiny.scene(2020)[0, 46:84, 36:64]).all()  # 30 x 20 px and a margin of 4


def test_scale_and_nodata_come_from_the_file_unless_given(site: Path) -> None:
    with rasterio.open("source/2020.tif", "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.nodata = [1e-4] * 3, [-0.1] * 3, 3
    with rasterio.open("source/2021.tif", "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.nodata = [1e-4] * 3, [-0.1] * 3, 3
    ingest(site, lambda _, params: spoil.scenes(params)[1].update(scale=0.5, offset=0.0, nodata=9))

    first, second = (read_scenes(Path(f"data/scenes/{year}"))[0].bands["red"] for year in (2020, 2021))

    assert (first.scale, first.offset, first.nodata) == (1e-4, -0.1, 3)
    assert (second.scale, second.offset, second.nodata) == (0.5, 0.0, 9)


@pytest.mark.parametrize(
    "tile",
    [
        pytest.param(spoil.second_tile(shift_px=160), id="adjoins"),
        pytest.param(spoil.second_tile(shift_px=160, date="2020-10-17"), id="adjoins, two days later"),
        pytest.param(spoil.second_tile(shift_px=0), id="same day, equal where both are"),
        pytest.param(spoil.second_tile(shift_px=100, date="2020-10-17"), id="overlaps, two days later, shows more"),
        pytest.param(spoil.second_tile(shift_px=160, processing_baseline="05.09"), id="another baseline"),
    ],
)
def test_tiles_of_a_year_that_fit_are_taken(tile: Spoiler, site: Path) -> None:
    ingest(site, tile)
    assert [scene.info.id for scene in read_scenes(Path("data/scenes/2020"))] == ["2020", "tile"]


def test_tiles_may_overlap_where_one_has_no_data(site: Path) -> None:
    tile = tiny.scene(2020, seed=5)
    tile[:, :, :60] = 0
    ingest(site, spoil.second_tile(shift_px=100, pixels=tile, nodata=0), spoil.scene(nodata=0))


def test_a_cloud_mask_is_stored_as_yes_or_no(site: Path) -> None:
    mask = np.zeros((1, 160, 160), "uint8")
    mask[0, :10] = 200
    ingest(site, spoil.cloud_mask(), lambda folder, _: tiny.write_scene(folder / "source/cloud.tif", mask))
    (scene,) = read_scenes(Path("data/scenes/2020"))
    assert scene.cloud_mask is not None
    assert "cloud_mask" not in scene.bands
    assert (pixels(scene.cloud_mask)[0] == (mask[0] > 0)).all()


def test_stated_zeros_are_void(site: Path) -> None:
    names = ["B02", "B03", "B04"]
    ingest(site, spoil.reflectance(black=20), spoil.bands(names), spoil.scene(nodata=0))
    (scene,) = read_scenes(Path("data/scenes/2020"))
    assert scene.bands["B02"].nodata == 0
    assert (pixels(scene.bands["B02"].path)[0, :, :20] == 0).all()


def test_a_stated_nodata_value_counts_beside_that_of_the_file(site: Path) -> None:
    """65535 marks voids in the file, and 0 by the user's word: neither is reflectance."""
    values = np.full((3, 160, 160), 3000, "uint16")
    values[:, :10], values[:, 10:15] = 65535, 0
    ingest(
        site,
        lambda folder, _: tiny.write_scene(folder / "source/2020.tif", values),
        lambda folder, _: set_nodata(folder / "source/2020.tif", 65535),
        spoil.scene(nodata=0),
    )
    (scene,) = read_scenes(Path("data/scenes/2020"))
    for band in scene.bands.values():
        assert band.nodata == 0
        assert (pixels(band.path)[0] == 0).sum() == 15 * 160
        assert pixels(band.path).max() == 3000


def test_a_band_that_is_not_asked_for_may_be_void(site: Path) -> None:
    """The file's one nodata value is that of every band of its quality band too."""
    values = np.concatenate([tiny.scene(2020), np.zeros((1, 160, 160))]).astype("uint16")
    ingest(
        site,
        lambda folder, _: tiny.write_scene(folder / "source/2020.tif", values),
        spoil.scene(bands=[*tiny.BANDS, "quality"], nodata=0),
    )
    (scene,) = read_scenes(Path("data/scenes/2020"))
    assert sorted(scene.bands) == sorted([*tiny.BANDS, "quality"])


def set_nodata(path: Path, nodata: float) -> None:
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = nodata
